import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Authority, loadAuthority } from "../authority.ts";
import { type Issued, issue } from "../issue.ts";
import { parsePrivateKeyPem } from "../keys.ts";
import { x509 } from "../x509.ts";
import { issueIntermediate } from "./intermediate.ts";
import { issueRoot } from "./root.ts";
import { issueStepCaAuthority } from "./step-ca.ts";

const DAY = 86_400;
const now = new Date("2026-11-21T08:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "tk-step-ca-"));
let root: Authority;
let made: Issued;
beforeAll(async () => {
  root = (await issueRoot({ tenant: "acme", now })).authority;
  made = await issueStepCaAuthority(root, { now });
});
afterAll(() => rmSync(folder, { recursive: true }));

type Rdn = Readonly<Record<string, readonly string[]>>;

/** Whether OpenSSL takes a certificate that whoever has step-ca's key made: "OK", or its words on what is wrong. */
async function forged(subject: readonly Rdn[], names: readonly x509.JsonGeneralName[] = []): Promise<string> {
  const { signingKey } = await parsePrivateKeyPem(made.keyPem, "step-ca");
  const certificate = new x509.X509Certificate(made.certPem);
  const { certPem } = await issue(
    {
      tenant: "acme",
      now,
      name: "forged",
      subject: new x509.Name(
        subject.map((rdn) => Object.fromEntries(Object.entries(rdn).map(([k, v]) => [k, [...v]]))),
      ),
      validity: { notBefore: now, notAfter: new Date(now.getTime() + DAY * 1000) },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
      ],
    },
    { certificate, signingKey, name: "step-ca", tenant: "acme" },
  );
  const file = (name: string, pem: string): string => {
    writeFileSync(join(folder, name), pem);
    return join(folder, name);
  };
  const { status, stderr } = spawnSync(
    "openssl",
    [
      ...["verify", "-attime", String(now.getTime() / 1000), "-CAfile", file("root.pem", root.certPem)],
      ...["-untrusted", file("untrusted.pem", made.certPem), file("leaf.pem", certPem)],
    ],
    { encoding: "utf8" },
  );
  return status === 0 ? "OK" : stderr;
}

const dns = (value: string): x509.JsonGeneralName => ({ type: "dns", value });
const ip = (value: string): x509.JsonGeneralName => ({ type: "ip", value });
const SERVER = "step-ca.acme.trustkern.internal";
const GATEWAY: readonly Rdn[] = [{ O: ["acme"] }, { OU: ["gateways"] }, { CN: ["gw-01"] }];

describe("step-ca's authority", () => {
  test("names gateways, and its own server", async () => {
    expect(await forged(GATEWAY, [dns("gw-01.gateways.acme.trustkern.internal")])).toBe("OK");
    expect(await forged([{ CN: [SERVER] }], [dns(SERVER), ip("127.0.0.1")])).toBe("OK");
  });

  test.each<readonly [string, readonly Rdn[], readonly x509.JsonGeneralName[]]>([
    ["a service", [{ O: ["acme"] }, { OU: ["services"] }, { CN: ["svc-backend"] }], []],
    ["an operator", [{ O: ["acme"] }, { OU: ["operators"] }, { CN: ["op-admin"] }], []],
    ["a service without a tenant", [{ OU: ["services"] }, { CN: ["svc-backend"] }], []],
    ["a service of another country", [{ C: ["DE"] }, { O: ["acme"] }, { OU: ["services"] }], []],
    ["a gateway of another tenant", [{ O: ["other"] }, { OU: ["gateways"] }, { CN: ["gw-01"] }], []],
    ["another server", [{ CN: ["backend.acme.trustkern.internal"] }], []],
    ["a service's DNS name", GATEWAY, [dns("backend.acme.trustkern.internal")]],
    ["an operator's DNS name", GATEWAY, [dns("op-admin.operators.acme.trustkern.internal")]],
    ["another tenant's DNS name", GATEWAY, [dns("gw-01.gateways.other.trustkern.internal")]],
    ["an address of the network", GATEWAY, [ip("10.0.0.1")]],
    ["an IPv6 address", GATEWAY, [ip("fd00::1")]],
  ])("does not name %s", async (_, subject, names) => {
    expect(await forged(subject, names)).toMatch(/permitted subtree violation/);
  });

  test("makes no authority: its path length is 0", () => {
    const certificate = new x509.X509Certificate(made.certPem);
    expect(certificate.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: true, pathLength: 0 });
  });

  test("is the root's, and none that our own functions issue leaves with", async () => {
    expect(new X509Certificate(made.certPem).verify(new X509Certificate(root.certPem).publicKey)).toBe(true);
    await expect(loadAuthority(made)).rejects.toMatchObject({ code: "CERT_AUTHORITY_INVALID" });
    const { authority } = await issueIntermediate(root, { leafClass: "services", now });
    await expect(issueStepCaAuthority(authority, { now })).rejects.toMatchObject({ code: "CERT_ISSUER_WRONG" });
  });

  test("does not outlive the root", async () => {
    const young = await issueRoot({ tenant: "acme", now, lifetimeSeconds: 30 * DAY });
    await expect(issueStepCaAuthority(young.authority, { now })).rejects.toMatchObject({
      code: "CERT_OUTLIVES_ISSUER",
    });
  });
});
