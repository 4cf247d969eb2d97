import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { StoredAuthority } from "./authority.ts";
import { certifyIntermediate, issueIntermediate } from "./classes/intermediate.ts";
import { issueDeviceLeaf } from "./classes/leaf-device.ts";
import { issueGatewayLeaf } from "./classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "./classes/leaf-operator.ts";
import { issueServiceLeaf } from "./classes/leaf-service.ts";
import { issueRoot } from "./classes/root.ts";
import { issueCrl } from "./crl.ts";
import { parsePrivateKeyPem } from "./keys.ts";
import { DEVICE_UNIT, LEAF_CLASSES } from "./names.ts";
import { normalSerial } from "./serial.ts";
import { opensslVerify } from "./test-openssl.ts";
import { verifyChain } from "./verify-chain.ts";

const DAY = 86_400;
const now = new Date("2026-11-21T08:00:00Z");
const CLASSES = [...LEAF_CLASSES, DEVICE_UNIT] as const;
let root: StoredAuthority;
let issuers: Readonly<Record<string, StoredAuthority>>;
let leaves: Readonly<Record<string, string>>;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  const made = async (request: { leafClass: (typeof LEAF_CLASSES)[number] } | { maker: string }) =>
    (await issueIntermediate(root, { ...request, now })).authority;
  const [services, gateways, operators, devices] = [
    await made({ leafClass: "services" }),
    await made({ leafClass: "gateways" }),
    await made({ leafClass: "operators" }),
    await made({ maker: "acme-instruments" }),
  ];
  issuers = { services, gateways, operators, devices };
  const device = { hardwareId: "0a1b", maker: "acme-instruments", model: "TK 100", now };
  leaves = {
    services: (await issueServiceLeaf(services, { name: "svc-broker", now })).certPem,
    gateways: (await issueGatewayLeaf(gateways, { name: "gw-01", now })).certPem,
    operators: (await issueOperatorLeaf(operators, { name: "op-a", now })).certPem,
    devices: (await issueDeviceLeaf(devices, { ...device, key: { publicKeySpki: await spki() } })).certPem,
  };
});

async function spki(): Promise<Uint8Array> {
  const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  return new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
}

type Revoked = Parameters<typeof issueCrl>[1]["revoked"];
const list = async (by: StoredAuthority, revoked: Revoked = []): Promise<string> =>
  (await issueCrl(by, { number: 1n, revoked, now })).pem;
const revoke = ({ certificate }: StoredAuthority): Revoked => [
  { serial: certificate.serialNumber, at: now, reason: "cACompromise" },
];
const findings = (leafClass: string, crls: readonly string[], at = now, rootPem = root.certPem): readonly string[] =>
  verifyChain({ chainPem: leaves[leafClass]!, rootPem, at, purpose: "client", classes: CLASSES, crls }).map(
    ({ code, path, reason }) => `${code} ${path} ${reason}`,
  );
const openssl = (leafClass: string, crls: readonly string[], at = now): string =>
  opensslVerify({
    certPem: leaves[leafClass]!,
    issuerPem: issuers[leafClass]!.certPem,
    rootPem: root.certPem,
    crls,
    at,
  });

describe.each(CLASSES)("a leaf of %s, with revocation lists", (leafClass) => {
  test("is accepted when both issuers have a list", async () => {
    const crls = [await list(root), await list(issuers[leafClass]!)];
    expect([findings(leafClass, crls), openssl(leafClass, crls)]).toEqual([[], "OK"]);
  });

  test("is refused when it was revoked", async () => {
    const serial = normalSerial(new X509Certificate(leaves[leafClass]!).serialNumber);
    const crls = [await list(root), await list(issuers[leafClass]!, [{ serial, at: now, reason: "keyCompromise" }])];
    expect(findings(leafClass, crls)).toEqual(["CHAIN_REVOKED leaf revoked"]);
    expect(openssl(leafClass, crls)).toContain("certificate revoked");
  });

  test("is refused when its issuer was revoked: more than the leaf is looked at", async () => {
    const crls = [await list(root, revoke(issuers[leafClass]!)), await list(issuers[leafClass]!)];
    expect(findings(leafClass, crls)).toEqual(["CHAIN_REVOKED intermediate revoked"]);
    expect(openssl(leafClass, crls)).toContain("certificate revoked");
  });

  test("is refused without a list of either issuer", async () => {
    const unknown = ["CHAIN_CRL leaf revocation-unknown", "CHAIN_CRL intermediate revocation-unknown"];
    const [ofRoot, ofIssuer] = [await list(root), await list(issuers[leafClass]!)];
    expect(findings(leafClass, [])).toEqual(unknown);
    expect(findings(leafClass, [ofRoot])).toEqual(unknown.slice(0, 1));
    expect(findings(leafClass, [ofIssuer])).toEqual(unknown.slice(1));
    expect(openssl(leafClass, [ofRoot])).toContain("unable to get certificate CRL");
  });
});

const changed = (pem: string): string =>
  pem.replace(/(CRL-----\n.{60})(.)/, (_, before: string, one: string) => before + (one === "A" ? "B" : "A"));

describe("a revocation list does not count", () => {
  test("after its nextUpdate", async () => {
    const crls = [await list(root), await list(issuers.gateways!)];
    const at = new Date(now.getTime() + 8 * DAY * 1000);
    expect(findings("gateways", crls, at)).toHaveLength(2);
    expect(openssl("gateways", crls, at)).toContain("CRL has expired");
  });

  test("when it is another class's, torn or empty", async () => {
    const [ofRoot, good] = [await list(root), await list(issuers.gateways!)];
    for (const wrong of [await list(issuers.services!), good.slice(0, -60), "", changed(good)]) {
      expect(findings("gateways", [ofRoot, wrong])).toEqual(["CHAIN_CRL leaf revocation-unknown"]);
    }
  });

  test("when it is of an authority of the same name with another key", async () => {
    const other = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
    expect(findings("gateways", [await list(root), await list(other)])).toEqual(["CHAIN_CRL leaf revocation-unknown"]);
  });
});

describe("two roots of a rotation", () => {
  test("are both accepted, whichever signed the intermediate, and neither alone accepts the other's", async () => {
    const next = (await issueRoot({ tenant: "acme", now })).authority;
    const key = await parsePrivateKeyPem(issuers.gateways!.keyPem, "gateways");
    const anew = (await certifyIntermediate(next, key, { leafClass: "gateways", now })).authority;
    const leaf = leaves.gateways!.slice(0, leaves.gateways!.indexOf("-----BEGIN", 1));
    const codes = (chainPem: string, rootPem: string): readonly string[] =>
      verifyChain({ chainPem, rootPem, at: now, purpose: "client" }).map(({ code }) => code);
    for (const both of [root.certPem + next.certPem, next.certPem + root.certPem]) {
      expect([codes(leaves.gateways!, both), codes(leaf + anew.certPem, both)]).toEqual([[], []]);
    }
    expect(codes(leaves.gateways!, next.certPem)).toContain("CHAIN_SIGNATURE");
    expect(codes(leaf + anew.certPem, root.certPem)).toContain("CHAIN_SIGNATURE");
  });
});
