import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Authority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueGatewayLeaf } from "./classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "./classes/leaf-operator.ts";
import { issueServiceLeaf } from "./classes/leaf-service.ts";
import { issueRoot } from "./classes/root.ts";
import { issue } from "./issue.ts";
import type { LeafClass } from "./names.ts";
import { authoritySubject, leafSubject } from "./subject.ts";
import { verifyChain } from "./verify-chain.ts";
import { x509 } from "./x509.ts";

const DAY = 86_400;
const now = new Date("2026-11-21T08:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "tk-openssl-"));
let root: Authority;
let issuers: Readonly<Record<LeafClass, Authority>>;

beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  const intermediate = async (leafClass: LeafClass) => (await issueIntermediate(root, { leafClass, now })).authority;
  issuers = {
    services: await intermediate("services"),
    gateways: await intermediate("gateways"),
    operators: await intermediate("operators"),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What `openssl verify -x509_strict` says of a certificate: "OK", or its words on what is wrong. */
function verify(
  certPem: string,
  untrusted: string | null,
  { purpose = "sslclient", at = now, trusted = root.certPem } = {},
): string {
  const file = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem);
    return path;
  };
  const seconds = String(at.getTime() / 1000);
  const args = ["verify", "-x509_strict", "-check_ss_sig", "-attime", seconds, "-purpose", purpose];
  args.push("-CAfile", file("root.pem", trusted));
  if (untrusted !== null) args.push("-untrusted", file("untrusted.pem", untrusted));
  args.push(file("leaf.pem", certPem));
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return status === 0 && stdout.endsWith(": OK\n") ? "OK" : stderr;
}

/** A certificate that our own functions would refuse to issue. */
async function forge(issuer: Authority, subject: x509.Name, extensions: readonly x509.Extension[]): Promise<string> {
  const validity = { notBefore: now, notAfter: new Date(now.getTime() + DAY * 1000) };
  return (await issue({ tenant: "acme", now, name: "forged", subject, validity, extensions }, issuer)).certPem;
}

const clientLeaf = (names?: ConstructorParameters<typeof x509.SubjectAlternativeNameExtension>[0]) => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ...(names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
];
const dns = (value: string) => ({ type: "dns" as const, value });
const ip = (value: string) => ({ type: "ip" as const, value });

describe("openssl verify -x509_strict", () => {
  test("accepts every class of certificate", async () => {
    const service = await issueServiceLeaf(issuers.services, { name: "svc-broker", now, ipAddresses: ["127.0.0.1"] });
    const gateway = await issueGatewayLeaf(issuers.gateways, { name: "gw-01", now });
    const operator = await issueOperatorLeaf(issuers.operators, { name: "op-admin", now });
    expect(verify(root.certPem, null, { purpose: "any" })).toBe("OK");
    for (const issuer of Object.values(issuers)) expect(verify(issuer.certPem, null, { purpose: "any" })).toBe("OK");
    expect(verify(service.certPem, issuers.services.certPem, { purpose: "sslserver" })).toBe("OK");
    expect(verify(service.certPem, issuers.services.certPem)).toBe("OK");
    expect(verify(gateway.certPem, issuers.gateways.certPem)).toBe("OK");
    expect(verify(operator.certPem, issuers.operators.certPem)).toBe("OK");
  });

  test("accepts what ends after 2049, where the encoding of dates changes", async () => {
    const late = new Date("2045-01-01T00:00:00.750Z");
    const lateRoot = await issueRoot({ tenant: "acme", now: late });
    const { authority } = await issueIntermediate(lateRoot.authority, { leafClass: "gateways", now: late });
    const leaf = await issueGatewayLeaf(authority, { name: "gw-01", now: late });
    const trusted = lateRoot.authority.certPem;
    expect(verify(leaf.certPem, authority.certPem, { at: new Date("2045-01-02T00:00:00Z"), trusted })).toBe("OK");
    const text = execFileSync("openssl", ["asn1parse"], { input: trusted, encoding: "utf8" });
    expect(text).toContain("UTCTIME           :441231235900Z");
    expect(text).toContain("GENERALIZEDTIME   :20641227000000Z");
  });

  test("finds a serial number that is positive and of 128 random bits", async () => {
    const serials = new Set<bigint>();
    for (let round = 0; round < 12; round++) {
      const { certPem } = await issueGatewayLeaf(issuers.gateways, { name: "gw-01", now });
      const text = execFileSync("openssl", ["x509", "-noout", "-serial"], { input: certPem, encoding: "utf8" });
      serials.add(BigInt(`0x${/^serial=([0-9A-F]+)$/m.exec(text)?.[1]}`));
    }
    expect(serials.size).toBe(12);
    // The chance that all twelve are below 2^120 is 2^-96.
    expect([...serials].some((serial) => serial >= 2n ** 120n && serial < 2n ** 128n)).toBe(true);
  });

  test("refuses an expired leaf, and one that is not yet valid", async () => {
    const leaf = await issueGatewayLeaf(issuers.gateways, { name: "gw-01", now, lifetimeSeconds: DAY });
    const at = (time: string) => verify(leaf.certPem, issuers.gateways.certPem, { at: new Date(time) });
    expect(at("2026-11-22T08:00:01Z")).toContain("certificate has expired");
    expect(at("2026-11-21T07:58:59Z")).toContain("certificate is not yet valid");
  });

  test("refuses a gateway's and an operator's leaf as a server", async () => {
    const gateway = await issueGatewayLeaf(issuers.gateways, { name: "gw-01", now });
    const operator = await issueOperatorLeaf(issuers.operators, { name: "op-admin", now });
    const server = { purpose: "sslserver" };
    expect(verify(gateway.certPem, issuers.gateways.certPem, server)).toContain("unsuitable certificate purpose");
    expect(verify(operator.certPem, issuers.operators.certPem, server)).toContain("unsuitable certificate purpose");
  });

  test("refuses a leaf without its issuer, with another issuer, and of another root", async () => {
    const leaf = await issueGatewayLeaf(issuers.gateways, { name: "gw-01", now });
    const other = await issueRoot({ tenant: "acme", now });
    expect(verify(leaf.certPem, null)).toContain("unable to get local issuer certificate");
    expect(verify(leaf.certPem, issuers.services.certPem)).toContain("unable to get local issuer certificate");
    expect(verify(leaf.certPem, issuers.gateways.certPem, { trusted: other.authority.certPem })).toContain(
      "unable to get local issuer certificate",
    );
  });

  test("refuses an authority that an intermediate issued, and whatever that one issues", async () => {
    const subAuthority = await forge(issuers.gateways, authoritySubject("acme", "gateways"), [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ]);
    expect(verify(subAuthority, issuers.gateways.certPem, { purpose: "any" })).toMatch(/path length|permitted subtree/);
  });

  test.each([
    ["a service's name", "gateways", [dns("broker.acme.trustkern.internal")]],
    ["an operator's name", "gateways", [dns("op-admin.operators.acme.trustkern.internal")]],
    ["a name outside", "gateways", [dns("example.org")]],
    ["an IPv4 address", "gateways", [ip("10.0.0.1")]],
    ["an IPv6 address", "operators", [ip("::1")]],
    ["a gateway's name", "services", [dns("gw-01.gateways.acme.trustkern.internal")]],
    ["an operator's name", "services", [dns("op-admin.operators.acme.trustkern.internal")]],
    ["another tenant's name", "services", [dns("broker.other.trustkern.internal")]],
  ] as const)("refuses %s from the authority of the %s", async (_, leafClass, names) => {
    const subject = leafSubject(leafClass, "acme", "gw-01");
    const leaf = await forge(issuers[leafClass], subject, clientLeaf([...names]));
    expect(verify(leaf, issuers[leafClass].certPem)).toMatch(/permitted subtree violation|excluded subtree violation/);
  });

  test.each([
    ["services", "gateways", "svc-backend", "acme"],
    ["operators", "gateways", "op-admin", "acme"],
    ["gateways", "services", "gw-01", "acme"],
    ["gateways", "gateways", "gw-01", "other"],
  ] as const)("refuses a subject in %s from the authority of the %s", async (unit, leafClass, name, tenant) => {
    const leaf = await forge(issuers[leafClass], leafSubject(unit, tenant, name), clientLeaf());
    expect(verify(leaf, issuers[leafClass].certPem)).toContain("permitted subtree violation");
    const chainPem = leaf + issuers[leafClass].certPem;
    const findings = verifyChain({ chainPem, rootPem: root.certPem, at: now, purpose: "client" });
    expect(findings.map(({ code }) => code)).toContain("CHAIN_NAMES");
  });
});
