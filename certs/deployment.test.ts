import { createPrivateKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "./authority.ts";
import { type DeploymentCertificates, issueDeploymentCertificates, issueLeaves } from "./deployment.ts";
import { fingerprint } from "./fingerprint.ts";
import { normalSerial } from "./serial.ts";
import { verifyChain } from "./verify-chain.ts";

const NOW = new Date("2026-11-21T08:00:00.500Z");
const request = {
  tenant: "acme",
  clock: () => NOW,
  services: [{ name: "svc-broker", ipAddresses: ["127.0.0.1", "::1"] }],
  gateways: ["gw-01"],
  operators: ["op-admin"],
};
let made: DeploymentCertificates;
beforeAll(async () => {
  made = await issueDeploymentCertificates(request);
});
const chainOf = (name: string): string => made.leaves.find((leaf) => leaf.name === name)!.certPem;
const firstOf = (name: string): X509Certificate => new X509Certificate(chainOf(name));

describe("a deployment's certificates", () => {
  test.each(["svc-broker", "gw-01", "op-admin"])("verify independently of the library that made them: %s", (name) => {
    expect(verifyChain({ chainPem: chainOf(name), rootPem: made.root.certPem, at: NOW, purpose: "client" })).toEqual(
      [],
    );
  });

  test("a service answers to its DNS name and addresses", () => {
    for (const host of ["broker.acme.trustkern.internal", "127.0.0.1", "::1"]) {
      const asked = {
        chainPem: chainOf("svc-broker"),
        rootPem: made.root.certPem,
        at: NOW,
        purpose: "server",
        host,
      } as const;
      expect(verifyChain(asked)).toEqual([]);
    }
  });

  test.each(["gw-01", "op-admin"])("%s is a client and never a server", (name) => {
    const findings = verifyChain({ chainPem: chainOf(name), rootPem: made.root.certPem, at: NOW, purpose: "server" });
    expect(findings.map(({ code }) => code)).toEqual(["CHAIN_PURPOSE"]);
  });

  test("leaf keys belong to their certificates, and no two are the same", () => {
    for (const leaf of made.leaves) {
      expect(new X509Certificate(leaf.certPem).checkPrivateKey(createPrivateKey(leaf.keyPem))).toBe(true);
    }
    expect(new Set([made.root, ...made.leaves].map(({ keyPem }) => keyPem)).size).toBe(4);
  });

  test("dates come from the clock, in whole seconds, a minute back", () => {
    expect(firstOf("gw-01").validFromDate).toEqual(new Date("2026-11-21T07:59:00Z"));
    expect(firstOf("gw-01").validToDate).toEqual(new Date("2027-02-19T08:00:00Z"));
  });

  test("each issuance is an event that names its issuer and its serial number", () => {
    expect(made.events.map(({ kind }) => kind)).toEqual(Array(7).fill("CERT_ISSUED"));
    const event = made.events.find(({ reason }) => reason === "gw-01");
    expect(event).toMatchObject({ tenant: "acme", actor: "TrustKern gateways", time: NOW.toISOString() });
    expect(event?.object).toBe(normalSerial(firstOf("gw-01").serialNumber));
  });

  test("the fingerprint is SHA-256 in hex with colons", () => {
    expect(fingerprint(made.root.certPem)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  test("authorities that were stored issue again", async () => {
    const [services, gateways, operators] = await Promise.all(
      (["services", "gateways", "operators"] as const).map((name) => loadAuthority(made.intermediates[name])),
    );
    const again = await issueLeaves({ services: services!, gateways: gateways!, operators: operators! }, request);
    const { certPem } = again.leaves[1]!;
    expect(verifyChain({ chainPem: certPem, rootPem: made.root.certPem, at: NOW, purpose: "client" })).toEqual([]);
    expect(fingerprint(certPem)).not.toBe(fingerprint(chainOf("gw-01")));
  });

  test.each([
    [{ tenant: "Acme" }],
    [{ tenant: "acme.example" }],
    [{ tenant: "" }],
    [{ gateways: ["svc-broker"] }],
    [{ gateways: ["gw-"] }],
    [{ gateways: ["gw-01.evil"] }],
    [{ gateways: ["gw-01,OU=services"] }],
    [{ gateways: ["gw-A"] }],
    [{ operators: ["gw-01"] }],
    [{ services: [{ name: "op-admin" }] }],
    [{ services: [{ name: "svc-broker", dnsNames: ["localhost"] }] }],
    [{ services: [{ name: "svc-broker", dnsNames: ["*.acme.trustkern.internal"] }] }],
    [{ services: [{ name: "svc-broker", dnsNames: ["broker.other.trustkern.internal"] }] }],
    [{ services: [{ name: "svc-broker", dnsNames: ["gw-01.gateways.acme.trustkern.internal"] }] }],
    [{ services: [{ name: "svc-broker", ipAddresses: ["127.0.0.1/8"] }] }],
    [{ services: [{ name: "svc-broker", ipAddresses: ["fe80::1%eth0"] }] }],
    [{ services: [{ name: "svc-broker", ipAddresses: ["10.1"] }] }],
  ])("refuses the name in %j", async (wrong) => {
    await expect(issueDeploymentCertificates({ ...request, ...wrong })).rejects.toMatchObject({
      code: "CERT_NAME_INVALID",
    });
  });
});
