import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Authority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueFromCsr } from "./classes/leaf-gateway.ts";
import { issueRoot } from "./classes/root.ts";
import { assertCsrFor, parseCsr } from "./csr.ts";
import { denialReason } from "./denial.ts";
import { generateKeyPair, P256, P384 } from "./keys.ts";
import { normalSerial } from "./serial.ts";
import { verifyChain } from "./verify-chain.ts";
import { x509 } from "./x509.ts";

const now = new Date("2026-11-21T08:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "tk-csr-"));
const OWNER = { leafClass: "gateways", tenant: "acme", name: "gw-01" } as const;
const dns = (value: string) => new x509.SubjectAlternativeNameExtension([{ type: "dns", value }]);
let root: Authority;
let gateways: Authority;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  gateways = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A good request, but for what is named. */
async function request(name: string, extensions: x509.Extension[] = [], algorithm: typeof P256 | typeof P384 = P256) {
  const keys = await generateKeyPair(algorithm);
  const signingAlgorithm = { ...algorithm, hash: "SHA-256" };
  return x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm, extensions });
}

/** The reason for which a request is refused, or "accepted". */
async function verdict(source: string | Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  try {
    assertCsrFor(await parseCsr(source), OWNER);
    return "accepted";
  } catch (thrown) {
    return denialReason(thrown) ?? String(thrown);
  }
}

/** A request by OpenSSL, with a key and a hash of any kind. */
function opensslRequest(key: readonly string[], hash = "-sha256"): string {
  const file = join(folder, "key.pem");
  writeFileSync(file, execFileSync("openssl", ["genpkey", ...key], { stdio: ["ignore", "pipe", "ignore"] }));
  return execFileSync("openssl", ["req", "-new", "-key", file, hash, "-subj", "/CN=gw-01"], { encoding: "utf8" });
}

describe("a gateway's request", () => {
  test.each([
    ["CN=gw-01", []],
    ["", []],
    ["O=acme, OU=gateways, CN=gw-01", [dns("gw-01.gateways.acme.trustkern.internal")]],
    ["CN=gw-01", [dns("gw-01")]],
    ["CN=gw-01", [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]],
  ])("is accepted with its own names: %s", async (name, extensions) => {
    expect(await verdict((await request(name, extensions)).toString("pem"))).toBe("accepted");
  });

  test("gets a certificate for its key, with our names and none of its own", async () => {
    const csr = await request("CN=gw-01");
    const { certPem, event } = await issueFromCsr(gateways, csr.toString("pem"), { name: "gw-01", now });
    const asked = { chainPem: certPem, rootPem: root.certPem, at: now, purpose: "client" } as const;
    expect(verifyChain(asked)).toEqual([]);
    const leaf = new x509.X509Certificate(certPem);
    expect(Buffer.from(leaf.publicKey.rawData).equals(Buffer.from(csr.publicKey.rawData))).toBe(true);
    expect(leaf.subject).toBe("O=acme, OU=gateways, CN=gw-01");
    expect(event).toMatchObject({ kind: "CERT_ISSUED", object: normalSerial(leaf.serialNumber), reason: "gw-01" });
  });

  test("gets none from another class's authority, and none for a name that is not its own", async () => {
    const pem = (await request("CN=gw-01")).toString("pem");
    await expect(issueFromCsr(root, pem, { name: "gw-01", now })).rejects.toMatchObject({ code: "CERT_ISSUER_WRONG" });
    await expect(issueFromCsr(gateways, pem, { name: "gw-02", now })).rejects.toMatchObject({
      code: "DENIED_FOREIGN_NAME",
      exit: 5,
      path: "foreign-name",
    });
  });

  test.each([
    ["CN=gw-02", "foreign-name"],
    ["CN=svc-backend", "wrong-class"],
    ["CN=op-admin", "wrong-class"],
    ["CN=gw-", "name-not-allowed"],
    ["CN=gw-01.evil", "name-not-allowed"],
    ["CN=GW-01", "name-not-allowed"],
    ["CN=gw-01, CN=svc-backend", "name-not-allowed"],
    ["CN=gw-01\u0000", "name-not-allowed"],
    ["O=other, CN=gw-01", "foreign-tenant"],
    ["O=acme, O=other, CN=gw-01", "foreign-tenant"],
    ["OU=services, CN=gw-01", "wrong-class"],
    ["OU=gateways, OU=services, CN=gw-01", "wrong-class"],
  ])("is refused with the subject %s: %s", async (name, reason) => {
    expect(await verdict((await request(name)).toString("pem"))).toBe(reason);
  });

  test.each([
    [dns("gw-02.gateways.acme.trustkern.internal"), "foreign-name"],
    [dns("gw-01.gateways.other.trustkern.internal"), "foreign-name"],
    [dns("backend.acme.trustkern.internal"), "foreign-name"],
    [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "10.0.0.1" }]), "foreign-name"],
    [new x509.BasicConstraintsExtension(true, 0, true), "wrong-usage"],
    [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]), "wrong-usage"],
  ])("is refused with an extension that is not its own: %#", async (extension, reason) => {
    expect(await verdict((await request("CN=gw-01", [extension])).toString("pem"))).toBe(reason);
  });

  test.each([
    [["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]],
    [["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]],
    [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp224r1"]],
    [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime192v1"]],
    [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp521r1"]],
    [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]],
    [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"]],
  ])("is refused with a key of %j", async (key) => {
    expect(await verdict(opensslRequest(key))).toBe("weak-key");
  });

  test("is refused with a key on P-384, and with a signature by SHA-1", async () => {
    expect(await verdict((await request("CN=gw-01", [], P384)).toString("pem"))).toBe("weak-key");
    const key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    expect(await verdict(opensslRequest(key))).toBe("accepted");
    expect(await verdict(opensslRequest(key, "-sha1"))).toBe("weak-key");
  });

  test("is refused with any bit flipped that it is signed over", async () => {
    const csr = await request("CN=gw-01");
    const good = new Uint8Array(csr.rawData);
    for (let bit = 0; bit < good.length * 8; bit += 5) {
      const bad = Uint8Array.from(good);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      const read = await parseCsr(bad).catch(denialReason);
      // Around the signature there are bits without a meaning; what is read is the same then.
      if (typeof read === "object") expect(read, `bit ${bit}`).toEqual(await parseCsr(good));
      else expect(read, `bit ${bit}`).toMatch(/^(?:corrupt|weak-key|bad-self-signature)$/);
    }
  });

  test("is refused with the signature of another request", async () => {
    const [one, two] = [await request("CN=gw-01"), await request("CN=gw-01")];
    const [a, b] = [new Uint8Array(one.rawData), new Uint8Array(two.rawData)];
    const mixed = Uint8Array.from([...a.slice(0, 120), ...b.slice(120)]);
    expect(await verdict(mixed)).not.toBe("accepted");
  });

  test("is refused when it is none, more than one, cut off or too long", async () => {
    const pem = (await request("CN=gw-01")).toString("pem");
    const certificate = root.certPem;
    for (const text of ["", "CSR", pem + pem, pem.slice(0, 200), certificate, pem + " ".repeat(20_000)]) {
      expect(await verdict(text)).toBe("corrupt");
    }
    expect(await verdict(new Uint8Array())).toBe("corrupt");
  });
});
