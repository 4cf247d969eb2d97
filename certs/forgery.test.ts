import { beforeAll, describe, expect, test } from "vitest";
import type { Authority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueRoot } from "./classes/root.ts";
import { issue } from "./issue.ts";
import { leafExtensions } from "./leaf.ts";
import { DEVICE_UNIT, LEAF_CLASSES } from "./names.ts";
import { peerName } from "./peer-name.ts";
import { classSubject, deviceSubject, issuingServerSubject, leafSubject } from "./subject.ts";
import { opensslVerify } from "./test-openssl.ts";
import { verifyChain } from "./verify-chain.ts";
import { x509 } from "./x509.ts";

const now = new Date("2026-11-21T08:00:00Z");
const EVERY_CLASS = [...LEAF_CLASSES, DEVICE_UNIT] as const;
const [ACME, GLOBEX] = ["acme-instruments", "globex"];
type Issuing = "services" | "gateways" | "operators" | typeof ACME | typeof GLOBEX;

let root: Authority;
let issuers: Readonly<Record<string, Authority>>;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  const made = await Promise.all([
    ...LEAF_CLASSES.map(async (leafClass) => [leafClass, await issueIntermediate(root, { leafClass, now })] as const),
    ...[ACME, GLOBEX].map(async (maker) => [maker, await issueIntermediate(root, { maker, now })] as const),
  ]);
  issuers = Object.fromEntries(made.map(([name, { authority }]) => [name, authority]));
});

const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
const dns = (value: string): x509.JsonGeneralName => ({ type: "dns", value });
const ip = (value: string): x509.JsonGeneralName => ({ type: "ip", value });

/** What whoever has an authority's key can sign, and our own functions would not: what OpenSSL and we say of it. */
async function judged(
  by: Issuing,
  subject: x509.Name,
  names: readonly x509.JsonGeneralName[] = [],
  extensions = leafExtensions([serverAuth, clientAuth]),
): Promise<{ readonly openssl: string; readonly ours: readonly string[] }> {
  const issuer = issuers[by]!;
  const alternative = names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])];
  const validity = { notBefore: now, notAfter: new Date(now.getTime() + 86_400_000) };
  const template = {
    tenant: "acme",
    now,
    name: "forged",
    subject,
    validity,
    extensions: [...extensions, ...alternative],
  };
  const { certPem } = await issue(template, issuer);
  const [rootPem, issuerPem] = [root.certPem, issuer.certPem];
  const chainPem = certPem + issuerPem;
  const findings = verifyChain({ chainPem, rootPem, at: now, purpose: "client", classes: EVERY_CLASS });
  return {
    openssl: opensslVerify({ certPem, issuerPem, rootPem, at: now }),
    ours: findings.map(({ code, reason }) => `${code} ${reason}`),
  };
}

const device = (maker: string, tenant = "acme") => deviceSubject(tenant, maker, "TK 100", "0a1b");
const own: readonly (readonly [Issuing, x509.Name, readonly x509.JsonGeneralName[]])[] = [
  ["services", leafSubject("services", "acme", "svc-broker"), [dns("broker.acme.trustkern.internal"), ip("10.0.0.1")]],
  ["gateways", leafSubject("gateways", "acme", "gw-01"), [dns("gw-01.gateways.acme.trustkern.internal")]],
  ["operators", leafSubject("operators", "acme", "op-a"), [dns("op-a.operators.acme.trustkern.internal")]],
  [ACME, device(ACME), []],
  [GLOBEX, device(GLOBEX), []],
];

describe("an authority's key signs, and OpenSSL and we accept", () => {
  test.each(own)("%s: its own class", async (by, subject, names) => {
    expect(await judged(by, subject, names)).toEqual({ openssl: "OK", ours: [] });
  });
});

describe("an authority's key signs another's name, and OpenSSL and we refuse", () => {
  const all = own.flatMap(([by]) => own.filter(([of]) => of !== by).map(([of, subject]) => [by, of, subject] as const));
  test.each(all)("%s: a subject of %s", async (by, _, subject) => {
    const { openssl, ours } = await judged(by, subject);
    expect(openssl).toContain("permitted subtree violation");
    expect(ours.join()).toMatch(/CHAIN_NAMES (?:wrong-class|foreign-maker)/);
  });

  test.each(own)("%s: its own subject of another tenant", async (by, subject) => {
    const foreign = new x509.Name(subject.toString().replace("O=acme", "O=other"));
    const { openssl, ours } = await judged(by, foreign);
    expect(openssl).toContain("permitted subtree violation");
    expect(ours).toContain("CHAIN_NAMES foreign-tenant");
  });

  const names: readonly (readonly [Issuing, x509.Name, x509.JsonGeneralName])[] = [
    ...own.flatMap(([by, subject]) =>
      own
        .filter(([of, , [name]]) => of !== by && name !== undefined)
        .map(([, , [name]]) => [by, subject, name!] as const),
    ),
    ...own.map(([by, subject]) => [by, subject, dns("broker.other.trustkern.internal")] as const),
    ...own.map(([by, subject]) => [by, subject, dns("example.org")] as const),
    ...own.slice(1).map(([by, subject]) => [by, subject, ip("10.0.0.1")] as const),
    ...own.slice(1).map(([by, subject]) => [by, subject, ip("fd00::1")] as const),
    ["services", own[0]![1], dns("gateways-ca.acme.trustkern.internal")],
    ["services", own[0]![1], dns("acme-instruments.devices.acme.trustkern.internal")],
    ["services", own[0]![1], dns("operators-ca.acme.trustkern.internal")],
    ["gateways", own[1]![1], dns("operators-ca.acme.trustkern.internal")],
    ["operators", own[2]![1], dns("gateways-ca.acme.trustkern.internal")],
    [ACME, own[3]![1], dns("gateways-ca.acme.trustkern.internal")],
  ];
  test.each(names)("%s: %s with %o", async (by, subject, name) => {
    const { openssl, ours } = await judged(by, subject, [name]);
    expect(openssl).toMatch(/(?:permitted|excluded) subtree violation/);
    expect(ours.join()).toMatch(/CHAIN_NAMES/);
  });

  test.each([...LEAF_CLASSES, ACME] as const)("%s: an authority, and what that one signs", async (by) => {
    const subject = by === ACME ? device(ACME) : classSubject(by as "services", "acme");
    const usages = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true);
    const { openssl, ours } = await judged(
      by,
      subject,
      [],
      [new x509.BasicConstraintsExtension(true, 0, true), usages],
    );
    expect(openssl).not.toBe("OK");
    expect(ours).toContain("CHAIN_AUTHORITY wrong-usage");
  });
});

describe("the server of a step-ca", () => {
  const serverName = (leafClass: string): string => `${leafClass}-ca.acme.trustkern.internal`;

  test.each(["gateways", "operators"] as const)("of %s is a server to OpenSSL, and nobody to us", async (leafClass) => {
    const name = serverName(leafClass);
    const { openssl, ours } = await judged(leafClass, issuingServerSubject(name), [dns(name), ip("127.0.0.1")]);
    expect(openssl).toBe("OK");
    expect(ours.every((finding) => finding.startsWith("CHAIN_NAMES"))).toBe(true);
    expect(ours.length).toBeGreaterThan(0);
    expect(peerName({ CN: name })).toBeNull();
  });

  test.each<readonly [Issuing, string]>([
    ["gateways", "operators"],
    ["operators", "gateways"],
    ["services", "gateways"],
    [ACME, "gateways"],
  ])("is not named by %s where it is that of %s", async (by, leafClass) => {
    const name = serverName(leafClass);
    const { openssl, ours } = await judged(by, issuingServerSubject(name), [dns(name)]);
    expect(openssl).toMatch(/subtree violation/);
    expect(ours.join()).toContain("CHAIN_NAMES");
  });

  test("has no address of the network, and no other name", async () => {
    const name = serverName("gateways");
    const subject = issuingServerSubject(name);
    for (const other of [ip("10.0.0.1"), ip("127.0.0.2"), dns("backend.acme.trustkern.internal")]) {
      expect((await judged("gateways", subject, [dns(name), other])).openssl).toContain("permitted subtree violation");
    }
  });
});

describe("a device", () => {
  test("has no name for any service of ours", () => {
    expect(peerName({ O: "acme", OU: [DEVICE_UNIT, ACME], CN: "TK 100" })).toBeNull();
    expect(peerName({ O: "acme", OU: [DEVICE_UNIT, "gateways"], CN: "gw-01" })).toBeNull();
    expect(peerName({ O: "acme", OU: ["gateways", DEVICE_UNIT], CN: "gw-01" })).toBeNull();
  });
});
