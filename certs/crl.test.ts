import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredAuthority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueGatewayLeaf } from "./classes/leaf-gateway.ts";
import { issueRoot } from "./classes/root.ts";
import { type CrlRequest, issueCrl, readCrl, verifyCrl } from "./crl.ts";
import { type Certified, certify } from "./issue.ts";
import { normalSerial } from "./serial.ts";
import { leafSubject } from "./subject.ts";
import { x509 } from "./x509.ts";

const DAY = 86_400;
const now = new Date("2026-11-21T08:00:00.700Z");
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const folder = mkdtempSync(join(tmpdir(), "tk-crl-"));
let root: StoredAuthority;
let gateways: StoredAuthority;
let operators: StoredAuthority;
let leaf: Certified;
let serial: string;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  gateways = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
  operators = (await issueIntermediate(root, { leafClass: "operators", now })).authority;
  leaf = await issueGatewayLeaf(gateways, { name: "gw-01", now });
  serial = leaf.event.object;
});
afterAll(() => rmSync(folder, { recursive: true }));

const crl = async (rest: Partial<CrlRequest> = {}, of = gateways): Promise<string> =>
  (await issueCrl(of, { number: 7n, revoked: [], now, ...rest })).pem;
const revoke = (of: string, reason: CrlRequest["revoked"][number]["reason"] = "keyCompromise") => ({
  serial: of,
  at: now,
  reason,
});
const codes = (pem: string, rest: Partial<Parameters<typeof verifyCrl>[0]> = {}): string[] =>
  verifyCrl({ pem, issuerPem: gateways.certPem, now, ...rest }).map(({ code, reason }) => `${code} ${reason}`);

/** What OpenSSL says of the gateway's chain with the lists of its issuers: "OK", or its words. */
function opensslVerify(crls: readonly string[]): string {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const args = ["verify", "-x509_strict", "-crl_check_all", "-attime", String(Math.floor(now.getTime() / 1000))];
  args.push("-CAfile", file("root.pem", root.certPem), "-untrusted", file("intermediate.pem", gateways.certPem));
  args.push("-CRLfile", file("crls.pem", crls.join("")), file("leaf.pem", leaf.certPem));
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return status === 0 ? "OK" : stderr;
}

describe("a revocation list", () => {
  test("says what was revoked, when and why, and verifies", async () => {
    const reasons = [
      ...(["unspecified", "keyCompromise", "cACompromise", "affiliationChanged"] as const),
      ...(["superseded", "cessationOfOperation", "privilegeWithdrawn"] as const),
    ];
    const revoked = reasons.map((reason, index) => ({ serial: `00F${index}`, at: later(-index), reason }));
    const pem = await crl({ revoked, number: 300n });
    const read = readCrl(pem);
    expect(read).toMatchObject({ issuer: "O=acme, CN=TrustKern gateways", number: 300n, critical: [] });
    expect(read.thisUpdate).toEqual(new Date("2026-11-21T07:59:00Z"));
    expect(read.nextUpdate).toEqual(new Date("2026-11-28T08:00:00Z"));
    expect(read.revoked.map(({ reason }) => reason)).toEqual(reasons);
    expect(read.revoked[1]).toEqual({ serial: "f1", at: new Date("2026-11-21T07:59:59Z"), reason: "keyCompromise" });
    expect(codes(pem, { leastNumber: 300n })).toEqual([]);
  });

  test("is named `X509 CRL`, and has no extensions where there is nothing to say", async () => {
    const pem = await crl({ revoked: [revoke(serial, "unspecified")] });
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n/);
    const text = execFileSync("openssl", ["asn1parse"], { input: pem, encoding: "utf8" });
    expect(text).not.toMatch(/l= +0 cons: SEQUENCE/);
    expect(execFileSync("openssl", ["crl", "-noout", "-crlnumber"], { input: pem, encoding: "utf8" })).toContain(
      "0x07",
    );
    expect((await crl()).length).toBeLessThan(pem.length);
  });

  test("of the root is signed with SHA-384, and of an intermediate with SHA-256", async () => {
    const algorithm = (pem: string): string =>
      execFileSync("openssl", ["crl", "-noout", "-text"], { input: pem, encoding: "utf8" });
    expect(algorithm(await crl({}, root))).toContain("ecdsa-with-SHA384");
    expect(algorithm(await crl())).toContain("ecdsa-with-SHA256");
    expect(codes(await crl({}, root), { issuerPem: root.certPem })).toEqual([]);
  });

  test("is what OpenSSL refuses a revoked leaf and a revoked intermediate by, and takes the rest by", async () => {
    const other = await issueGatewayLeaf(gateways, { name: "gw-02", now });
    const good = await crl({ revoked: [revoke(other.event.object)] });
    const intermediate = normalSerial(gateways.certificate.serialNumber);
    expect(opensslVerify([await crl({}, root), good])).toBe("OK");
    expect(opensslVerify([await crl({}, root), await crl({ revoked: [revoke(serial)] })])).toContain("revoked");
    expect(opensslVerify([await crl({ revoked: [revoke(intermediate)] }, root), good])).toContain("revoked");
    expect(opensslVerify([await crl({}, root)])).toContain("unable to get certificate CRL");
    expect(opensslVerify([good])).toContain("unable to get certificate CRL");
  });

  test("of two thousand certificates is read whole, beyond the limit of the library", async () => {
    const revoked = Array.from({ length: 2_000 }, (_, index) =>
      revoke((index + 1).toString(16).padStart(31, "0").padStart(32, "7")),
    );
    const read = readCrl(await crl({ revoked }));
    expect(read.revoked).toHaveLength(2_000);
    expect(new Set(read.revoked.map((one) => one.serial)).size).toBe(2_000);
  });

  test.each<readonly [string, () => Partial<CrlRequest>]>([
    ["a negative number", () => ({ number: -1n })],
    ["a number beyond 2^53 - 1", () => ({ number: 2n ** 53n })],
    ["72 hours exactly", () => ({ lifetimeSeconds: 72 * 3600 })],
    ["401 days", () => ({ lifetimeSeconds: 401 * DAY })],
    ["half a second", () => ({ lifetimeSeconds: 4 * DAY + 0.5 })],
    ["a certificate twice", () => ({ revoked: [revoke("0a"), revoke("A")] })],
    ["a serial number that is none", () => ({ revoked: [revoke("xyz")] })],
    ["an empty serial number", () => ({ revoked: [revoke("")] })],
    ["a serial number of 21 octets", () => ({ revoked: [revoke("f".repeat(42))] })],
    ["a revocation in the future", () => ({ revoked: [{ ...revoke("aa"), at: later(1) }] })],
    ["a revocation at no time", () => ({ revoked: [{ ...revoke("aa"), at: new Date(Number.NaN) }] })],
  ])("is not made with %s", async (_, wrong) => {
    await expect(crl(wrong())).rejects.toMatchObject({ code: "CRL_INVALID" });
  });

  test("lasts longer than 72 hours, by one second", async () => {
    const pem = await crl({ lifetimeSeconds: 72 * 3600 + 1 });
    expect(readCrl(pem).nextUpdate).toEqual(new Date("2026-11-24T08:00:01Z"));
  });
});

describe("verifyCrl finds", () => {
  test("the list of another issuer, of another key of the same name, and of who may not sign lists", async () => {
    expect(codes(await crl({}, operators))).toEqual(["CRL_ISSUER wrong-ca"]);
    const twin = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
    expect(codes(await crl({}, twin))).toEqual(["CRL_SIGNATURE wrong-ca"]);
    expect(readCrl(await crl({}, twin)).keyId).not.toBe(readCrl(await crl()).keyId);
    const notAfter = later(DAY);
    const unable = await certify(
      {
        ...{ tenant: "acme", now, name: "gw-01", validity: { notBefore: now, notAfter } },
        subject: leafSubject("gateways", "acme", "gw-01"),
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      Buffer.from(gateways.certificate.publicKey.rawData),
      root,
    );
    const certificate = new x509.X509Certificate(unable.certPem);
    const pem = await crl({}, { ...gateways, certificate });
    expect(codes(pem, { issuerPem: unable.certPem })).toEqual(["CRL_ISSUER wrong-usage"]);
  });

  test("a list that has ended, and one from the future beyond five minutes", async () => {
    const pem = await crl();
    expect(codes(pem, { now: new Date("2026-11-28T07:59:59Z") })).toEqual([]);
    expect(codes(pem, { now: new Date("2026-11-28T08:00:00Z") })).toEqual(["CRL_DATES expired"]);
    expect(codes(pem, { now: new Date("2026-11-21T07:54:00Z") })).toEqual([]);
    expect(codes(pem, { now: new Date("2026-11-21T07:53:59Z") })).toEqual(["CRL_DATES clock-skew"]);
    expect(codes(pem, { now: later(-48 * 3600) })).toEqual(["CRL_DATES clock-skew"]);
  });

  test("a list that is older than the one before", async () => {
    expect(codes(await crl({ number: 7n }), { leastNumber: 7n })).toEqual([]);
    expect(codes(await crl({ number: 7n }), { leastNumber: 8n })).toEqual(["CRL_NUMBER corrupt"]);
  });

  test("a file that is torn at any byte, empty, of another kind, or holds more than one list", async () => {
    const pem = await crl({ revoked: [revoke(serial)] });
    const end = pem.trimEnd().length;
    for (let bytes = 0; bytes < end; bytes += 3) expect(codes(pem.slice(0, bytes))).toEqual(["CRL_FORM corrupt"]);
    for (const wrong of [pem + pem, gateways.certPem, pem.replaceAll("X509 CRL", "CRL"), `${pem}x`]) {
      expect(codes(wrong)).toEqual(["CRL_FORM corrupt"]);
    }
    expect(() => readCrl("")).toThrow(expect.objectContaining({ code: "DENIED_CORRUPT" }));
  });

  test("any bit flipped in what is signed, and in the signature", async () => {
    const pem = await crl({ revoked: [revoke(serial)] });
    const good = readCrl(pem);
    const der = Buffer.from(x509.PemConverter.decodeFirst(pem));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: der.length * 8 - 1 }), async (bit) => {
        const bad = Uint8Array.from(der);
        bad[bit >> 3]! ^= 1 << (bit & 7);
        const text = x509.PemConverter.encode(bad, "X509 CRL");
        // Around the signature there are bits without a meaning; what is read is the same then.
        if (codes(text).length === 0) expect(readCrl(text)).toEqual(good);
      }),
      { numRuns: 100 },
    );
  });
});
