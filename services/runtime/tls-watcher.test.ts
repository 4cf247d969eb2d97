import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadAuthority } from "../../certs/authority.ts";
import { issueCrl } from "../../certs/crl.ts";
import type { DeploymentCertificates } from "../../certs/deployment.ts";
import type { SecurityEventInput } from "./security-events.ts";
import { testPki, textsOf, writeTexts } from "./test-pki.ts";
import { followTls, type TlsFiles, type TlsTexts } from "./tls.ts";
import { createTlsWatcher, type TlsWatcher } from "./tls-watcher.ts";

const DAY_MS = 86_400_000;
const NEVER_MS = 2 ** 30;
let pkis: readonly [DeploymentCertificates, DeploymentCertificates];
let [old, renewed, foreign]: TlsTexts[] = [];
let folder: string;
let files: TlsFiles;
let events: SecurityEventInput[];
let now: number;
let watcher: TlsWatcher;

beforeAll(async () => {
  pkis = await Promise.all([testPki(), testPki()]);
  old = textsOf(pkis[0], "svc-backend");
  // Another leaf and key of the same root.
  renewed = { ...textsOf(pkis[0], "svc-collector") };
  foreign = textsOf(pkis[1], "svc-backend");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-w-"));
  files = writeTexts(folder, old!);
  events = [];
  now = Date.now();
  watcher = createTlsWatcher({ now: () => now, onEvent: (event) => events.push(event), intervalMs: NEVER_MS });
});
afterEach(() => {
  watcher.stop();
  rmSync(folder, { recursive: true });
});

const reasons = () => events.map(({ kind, reason }) => `${kind} ${reason}`);
const write = (changes: Partial<TlsTexts>, base = old!) => writeTexts(folder, { ...base, ...changes });

it("gives one object that is spread as what the files hold now", () => {
  const tls = watcher.open(files);
  expect({ ...tls }).toEqual({ ...old, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" });
  let told = 0;
  followTls(tls, () => (told += 1));
  write(renewed!);
  expect(tls.cert).toBe(old!.cert);
  watcher.poll();
  expect({ ...tls }).toEqual({ ...renewed, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" });
  expect([told, reasons()]).toEqual([1, ["CERT_RENEWED reloaded"]]);
  expect(watcher.open({ ...files })).toBe(tls);
});

it("says of the identity that was opened first what is in force", () => {
  expect(watcher.status()).toBeUndefined();
  watcher.open(files);
  const leaf = new X509Certificate(old!.cert);
  const anchor = new X509Certificate(old!.ca);
  const hex = (text: string) => text.replaceAll(":", "").toLowerCase();
  expect(watcher.status()).toEqual({
    certificate: hex(leaf.fingerprint256),
    serial: leaf.serialNumber.toLowerCase(),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    anchors: [hex(anchor.fingerprint256)],
  });
  write({ ca: old!.ca + foreign!.ca });
  watcher.poll();
  expect(watcher.status()?.anchors).toHaveLength(2);
});

it("takes a chain under an anchor that it was told of elsewhere, for as long as that is so", () => {
  let told = foreign!.ca;
  const tls = watcher.open(files, () => told);
  write({ cert: foreign!.cert, key: foreign!.key });
  watcher.poll();
  expect([tls.cert, tls.ca]).toEqual([foreign!.cert, old!.ca]);
  write(old!);
  watcher.poll();
  told = "";
  write({ cert: foreign!.cert, key: foreign!.key });
  watcher.poll();
  watcher.poll();
  expect(tls.cert).toBe(old!.cert);
  expect(reasons().at(-1)).toBe("AUTH_FAILED tls-files-wrong-ca");
});

it("tells nothing while nothing changes, and nothing of the way between two writes", () => {
  watcher.open(files);
  watcher.poll();
  writeFileSync(files.certFile, renewed!.cert);
  watcher.poll();
  expect(reasons()).toEqual([]);
  writeFileSync(files.keyFile, renewed!.key);
  watcher.poll();
  expect(reasons()).toEqual(["CERT_RENEWED reloaded"]);
});

describe("keeps what it has, and tells it once, for", () => {
  const cases: readonly (readonly [string, string, () => Partial<TlsTexts>])[] = [
    ["a key of another certificate", "key-mismatch", () => ({ key: renewed!.key })],
    ["a certificate of another key", "key-mismatch", () => ({ cert: renewed!.cert })],
    [
      "a whole set of another authority, but the anchors",
      "wrong-ca",
      () => ({ cert: foreign!.cert, key: foreign!.key }),
    ],
    ["another authority's anchors", "wrong-ca", () => ({ ca: foreign!.ca })],
    [
      "a leaf without its issuer",
      "wrong-ca",
      () => ({ cert: `${old!.cert.split("-----END CERTIFICATE-----")[0]}-----END CERTIFICATE-----\n` }),
    ],
    ["an empty certificate", "corrupt", () => ({ cert: "" })],
    ["an empty key", "corrupt", () => ({ key: "" })],
    ["empty anchors", "corrupt", () => ({ ca: "" })],
    ["a torn certificate", "corrupt", () => ({ cert: old!.cert.slice(0, -30) })],
    ["a torn key", "corrupt", () => ({ key: old!.key.slice(0, 60) })],
    ["a second anchor that is torn", "corrupt", () => ({ ca: old!.ca + foreign!.ca.slice(0, 200) })],
    ["text beside the anchors", "corrupt", () => ({ ca: `${old!.ca}\nroot:x:0:0` })],
    ["a key among the anchors", "corrupt", () => ({ ca: old!.ca + old!.key })],
    ["bytes that are none of base64", "corrupt", () => ({ cert: old!.cert.replace("M", "\u0000") })],
  ];
  it.each(cases)("%s: %s", (_, reason, changes) => {
    const tls = watcher.open(files);
    write(changes());
    for (let i = 0; i < 3; i += 1) watcher.poll();
    expect({ ...tls }).toMatchObject(old!);
    expect(reasons()).toEqual([`AUTH_FAILED tls-files-${reason}`]);
    write(renewed!);
    watcher.poll();
    expect({ ...tls }).toMatchObject(renewed!);
  });

  it.each([
    ["expired", 400],
    ["not-yet-valid", -400],
  ])("a set that is %s", (reason, days) => {
    const tls = watcher.open(files);
    now += days * DAY_MS;
    write(renewed!);
    for (let i = 0; i < 3; i += 1) watcher.poll();
    expect(tls.cert).toBe(old!.cert);
    expect(reasons()).toEqual([`AUTH_FAILED tls-files-${reason}`]);
  });

  it("a file that is gone", () => {
    const tls = watcher.open(files);
    rmSync(files.keyFile);
    for (let i = 0; i < 3; i += 1) watcher.poll();
    expect(tls.key).toBe(old!.key);
    expect(reasons()).toEqual(["AUTH_FAILED tls-files-unreadable"]);
  });
});

describe("does not start with", () => {
  it.each([
    ["a key of another certificate", { key: "renewed" }],
    ["a damaged key", { key: "-----BEGIN PRIVATE KEY-----" }],
    ["a damaged certificate", { cert: "x" }],
    ["no anchors", { ca: "" }],
  ] as const)("%s", (_, changes) => {
    const texts: Partial<TlsTexts> = "key" in changes && changes.key === "renewed" ? { key: renewed!.key } : changes;
    write(texts);
    expect(() => watcher.open(files)).toThrow(expect.objectContaining({ code: "SERVICE_TLS_INVALID", exit: 2 }));
    expect(() => watcher.open({ ...files, keyFile: "/none" })).toThrow(
      expect.objectContaining({ code: "SERVICE_FILE_UNREADABLE" }),
    );
  });

  it("lists that are none", () => {
    const crlFile = join(folder, "crl.pem");
    for (const text of [
      "",
      "-----BEGIN X509 CRL-----\nAAAA",
      "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
      // Anchors in their place: no list would then be looked at.
      old!.ca,
    ]) {
      writeFileSync(crlFile, text);
      expect(() => watcher.open({ ...files, crlFile })).toThrow(
        expect.objectContaining({ code: "SERVICE_TLS_INVALID" }),
      );
    }
  });
});

it("takes lists with the certificates of who signed them, as a deployment hands them over", async () => {
  const crlFile = join(folder, "crl.pem");
  const { root, intermediates } = pkis[0];
  const list = (await issueCrl(await loadAuthority(root), { number: 1n, revoked: [], now: new Date() })).pem;
  writeFileSync(crlFile, intermediates.services.certPem + list);
  expect(watcher.open({ ...files, crlFile }).crl).toEqual([list.trim()]);
  for (const damaged of [
    intermediates.services.certPem + list.slice(0, -40),
    list + intermediates.services.certPem.slice(40),
  ]) {
    writeFileSync(crlFile, damaged);
    const other = createTlsWatcher({ now: () => now, onEvent: () => undefined, intervalMs: NEVER_MS });
    expect(() => other.open({ ...files, crlFile })).toThrow(expect.objectContaining({ code: "SERVICE_TLS_INVALID" }));
    other.stop();
  }
});

it("names no secret in what it tells", () => {
  watcher.open(files);
  write({ key: renewed!.key });
  watcher.poll();
  watcher.poll();
  expect(JSON.stringify(events)).not.toContain(renewed!.key.split("\n")[1]);
});

it("has a pair that fits at every moment, and the new one in the end, for whatever order of writes, torn ones included", () => {
  const part = fc.constantFrom("ca", "cert", "key");
  const step = fc.record({
    part,
    from: fc.constantFrom("old", "renewed", "foreign"),
    cut: fc.double({ min: 0, max: 1 }),
    torn: fc.boolean(),
    rename: fc.boolean(),
  });
  const paths = { ca: "caFile", cert: "certFile", key: "keyFile" } as const;
  fc.assert(
    fc.property(fc.array(fc.record({ step, looks: fc.nat(2) }), { maxLength: 12 }), (steps) => {
      write({});
      const each = createTlsWatcher({ now: () => now, onEvent: () => undefined, intervalMs: NEVER_MS });
      const tls = each.open(files);
      for (const {
        step: { part: what, from, cut, torn, rename },
        looks,
      } of steps) {
        const text = { old, renewed, foreign }[from as "old"]![what as "ca"];
        const file = files[paths[what as "ca"]];
        const target = rename ? `${file}.tmp` : file;
        writeFileSync(target, torn ? text.slice(0, Math.floor(text.length * cut)) : text);
        if (rename) renameSync(target, file);
        for (let i = 0; i < looks; i += 1) each.poll();
        const { cert, key, ca } = { ...tls };
        expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
        // What a cut takes of the last line's end is no loss.
        expect([old!.ca.trim(), foreign!.ca.trim()]).toContain(ca.trim());
        expect(ca.trim() === foreign!.ca.trim()).toBe(cert.trim() === foreign!.cert.trim());
      }
      write(renewed!);
      each.poll();
      expect({ ...tls }).toMatchObject(renewed!);
      each.stop();
    }),
    { numRuns: 150 },
  );
});
