import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyCrl } from "../../certs/crl.ts";
import { TestCeremony } from "../test-ceremony.ts";

const made = new TestCeremony();
const at = (file: string): string => join(made.dir, "authorities", file);
const read = (file: string): string => readFileSync(at(file), "utf8");

beforeAll(async () => {
  await made.run(...made.argv);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());

describe("certs maker add", () => {
  test.each([
    [["ACME"], "CERT_NAME_INVALID", 2],
    [["../root"], "CERT_NAME_INVALID", 2],
    [["acme-instruments"], "AUTHORITIES_EXIST", 2],
    [["north", "--witnesses", "Ada"], "CEREMONY_NAME_INVALID", 2],
    [[], "CLI_USAGE", 2],
  ] as const)("refuses %j, and makes nothing", async (argv, code, exit) => {
    expect(await made.json("certs", "maker", "add", ...argv)).toMatchObject({ exit, error: { code } });
    expect([existsSync(at("makers/north.crt")), existsSync(at("makers/north.key"))]).toEqual([false, false]);
  });

  test("needs the root's medium, and says so before it makes a key", async () => {
    cpSync(made.file("safe.age"), made.file("away.age"));
    rmSync(made.file("safe.age"));
    const answer = await made.json("certs", "maker", "add", "north");
    cpSync(made.file("away.age"), made.file("safe.age"));
    expect(answer).toMatchObject({ exit: 4, error: { code: "ROOT_KEY_ELSEWHERE" } });
    expect(existsSync(at("makers/north.key"))).toBe(false);
  });

  test("waits for a rotation that is not done", async () => {
    const journal = join(made.dir, "rotation.json");
    const phase = { schema: "trustkern.rotation/1", what: "root", startedAt: "2026", phase: "issue", memo: {} };
    writeFileSync(journal, JSON.stringify(phase));
    const answer = await made.json("certs", "maker", "add", "north");
    rmSync(journal);
    expect(answer).toMatchObject({ exit: 4, error: { code: "ROTATION_UNFINISHED" } });
  });

  test("has the root sign an authority, whose revocation list, record and transcript are there", async () => {
    const before = read("transcript.jws");
    const answer = await made.json("certs", "maker", "add", "north", "--witnesses", "Grace");
    expect(answer).toMatchObject({ schema: "trustkern.certs-maker/1", maker: "north", told: false, exit: 0 });
    const certificate = new X509Certificate(read("makers/north.crt"));
    expect(certificate.verify(new X509Certificate(read("root.crt")).publicKey)).toBe(true);
    expect(certificate.subject).toContain("CN=TrustKern maker north");
    expect(answer.sha256).toBe(certificate.fingerprint256.replaceAll(":", "").toLowerCase());
    const issuerPem = read("makers/north.crt");
    expect(verifyCrl({ pem: read("crls/makers/north.pem"), issuerPem, now: new Date(0) })).toEqual([]);
    expect(read("ledger.ndjson")).toContain("TrustKern maker north");
    const { stdout, exit } = await made.run("certs", "transcript", "verify");
    expect([exit, stdout]).toEqual([0, expect.stringContaining("keys made: maker-north; the others are taken over")]);
    expect(stdout).toContain("witnessed by Grace");
    expect(read("transcript.jws")).not.toBe(before);
  });

  test("does not make it twice, and finishes one that a run left without a revocation list", async () => {
    expect(await made.json("certs", "maker", "add", "north")).toMatchObject({ error: { code: "AUTHORITIES_EXIST" } });
    const before = read("makers/north.crt");
    rmSync(at("crls/makers/north.pem"));
    expect(await made.json("certs", "maker", "add", "north")).toMatchObject({ exit: 0 });
    expect([read("makers/north.crt"), existsSync(at("crls/makers/north.pem"))]).toEqual([before, true]);
  });
});
