import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Authority } from "../authority.ts";
import { verifyChain } from "../verify-chain.ts";
import { x509 } from "../x509.ts";
import { issueIntermediate } from "./intermediate.ts";
import { type DeviceRequest, issueDeviceLeaf } from "./leaf-device.ts";
import { issueRoot } from "./root.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;
const now = new Date("2026-11-21T08:00:00Z");
const spkiOf = (namedCurve: string): Buffer =>
  generateKeyPairSync("ec", { namedCurve }).publicKey.export({ format: "der", type: "spki" });
const request: DeviceRequest = {
  hardwareId: "0a1b2c3d",
  maker: "acme-instruments",
  model: "TK 100",
  now,
  key: { publicKeySpki: spkiOf("P-256") },
};
let root: Authority;
let maker: Authority;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  maker = (await issueIntermediate(root, { maker: "acme-instruments", now })).authority;
});
const codeOf = async (rest: Partial<DeviceRequest>, issuer = maker): Promise<string> =>
  issueDeviceLeaf(issuer, { ...request, ...rest }).then(
    () => "issued",
    (thrown: { code: string }) => thrown.code,
  );

describe("a device's identity", () => {
  test("says who made it, which model and which unit it is, for ten years", async () => {
    const { certPem, event } = await issueDeviceLeaf(maker, request);
    const { subject, validToDate, publicKey } = new X509Certificate(certPem);
    expect(subject).toBe("O=acme\nOU=devices\nOU=acme-instruments\nCN=TK 100\nserialNumber=0a1b2c3d");
    expect(validToDate.getTime()).toBe(now.getTime() + 10 * YEAR * 1000);
    expect(publicKey.export({ format: "der", type: "spki" })).toEqual(
      "publicKeySpki" in request.key && Buffer.from(request.key.publicKeySpki),
    );
    expect(event).toMatchObject({ kind: "CERT_ISSUED", actor: "TrustKern maker acme-instruments" });
    expect(certPem.endsWith(maker.certPem)).toBe(true);
  });

  test("verifies where devices are accepted, and nowhere else", async () => {
    const { certPem: chainPem } = await issueDeviceLeaf(maker, request);
    const chain = { chainPem, rootPem: root.certPem, at: now, purpose: "client" } as const;
    expect(verifyChain({ ...chain, classes: ["devices"] })).toEqual([]);
    expect(verifyChain(chain)).toMatchObject([{ code: "CHAIN_NAMES", reason: "wrong-ca" }]);
    expect(verifyChain({ ...chain, purpose: "server", classes: ["devices"] })).toMatchObject([
      { code: "CHAIN_PURPOSE", reason: "wrong-usage" },
    ]);
  });

  test("is made for the key of a request that this key has signed", async () => {
    const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
    const csr = await x509.Pkcs10CertificateRequestGenerator.create({ name: "CN=any", keys, signingAlgorithm });
    const csrPem = csr.toString("pem");
    const { certPem } = await issueDeviceLeaf(maker, { ...request, key: { csrPem } });
    expect(new X509Certificate(certPem).publicKey.export({ format: "der", type: "spki" })).toEqual(
      Buffer.from(await crypto.subtle.exportKey("spki", keys.publicKey)),
    );
    const der = Buffer.from(csr.rawData);
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const wrong = x509.PemConverter.encode(der, "CERTIFICATE REQUEST");
    expect(await codeOf({ key: { csrPem: wrong } })).toMatch(/^DENIED_(?:BAD_SELF_SIGNATURE|CORRUPT)$/);
  });

  test.each([
    ["another maker", { maker: "globex" }, "CERT_ISSUER_WRONG"],
    ["no model", { model: "" }, "CERT_NAME_INVALID"],
    ["a gateway's name as model", { model: "gw-01" }, "CERT_NAME_INVALID"],
    ["a service's name as model, in capitals", { model: "SVC-backend" }, "CERT_NAME_INVALID"],
    ["a model with a comma", { model: "TK,OU=gateways" }, "CERT_NAME_INVALID"],
    ["a model of 65", { model: "x".repeat(65) }, "CERT_NAME_INVALID"],
    ["no hardware id", { hardwareId: "" }, "CERT_NAME_INVALID"],
    ["half an octet", { hardwareId: "abc" }, "CERT_NAME_INVALID"],
    ["capital hex", { hardwareId: "AB" }, "CERT_NAME_INVALID"],
    ["33 octets", { hardwareId: "ab".repeat(33) }, "CERT_NAME_INVALID"],
    ["a life of one second more", { lifetimeSeconds: 10 * YEAR + 1 }, "CERT_LIFETIME_RANGE"],
    ["a key on P-384", { key: { publicKeySpki: spkiOf("P-384") } }, "DENIED_WEAK_KEY"],
    ["a key on secp256k1", { key: { publicKeySpki: spkiOf("secp256k1") } }, "DENIED_WEAK_KEY"],
    ["what is no key", { key: { publicKeySpki: Buffer.alloc(91) } }, "DENIED_WEAK_KEY"],
    ["what is no request", { key: { csrPem: "none" } }, "DENIED_CORRUPT"],
  ] as const)("is refused for %s", async (_, rest, code) => {
    expect(await codeOf(rest)).toBe(code);
  });

  test("is issued by no other authority, and outlives none", async () => {
    const { authority } = await issueIntermediate(root, { leafClass: "gateways", now });
    expect(await codeOf({}, authority)).toBe("CERT_ISSUER_WRONG");
    expect(await codeOf({}, root)).toBe("CERT_ISSUER_WRONG");
    const short = { maker: "acme-instruments", now, lifetimeSeconds: YEAR };
    expect(await codeOf({}, (await issueIntermediate(root, short)).authority)).toBe("CERT_OUTLIVES_ISSUER");
  });
});

describe("a maker's authority", () => {
  test.each(["", "Acme", "acme instruments", "-acme", "a".repeat(64), "acme.de", "*"])(
    "is not made for %j",
    async (name) => {
      await expect(issueIntermediate(root, { maker: name, now })).rejects.toMatchObject({ code: "CERT_NAME_INVALID" });
    },
  );

  test("lives 15 years at most, and not longer than the root", async () => {
    const code = (lifetimeSeconds: number, of = root) =>
      issueIntermediate(of, { maker: "acme", now, lifetimeSeconds }).then(
        () => "issued",
        (thrown: { code: string }) => thrown.code,
      );
    expect(await code(15 * YEAR)).toBe("issued");
    expect(await code(15 * YEAR + 1)).toBe("CERT_LIFETIME_RANGE");
    const young = await issueRoot({ tenant: "acme", now, lifetimeSeconds: YEAR });
    expect(await code(2 * YEAR, young.authority)).toBe("CERT_OUTLIVES_ISSUER");
  });
});
