import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DenialReason } from "../../certs/denial.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { x509 } from "../../certs/x509.ts";
import { allErrors } from "../../cli/catalogues.ts";
import { TestCeremony } from "../../cli/test-ceremony.ts";
import { EXIT } from "../../shared/errors.ts";
import { TestBackend } from "./backend/in-process.ts";
import { OnlineCa } from "./backend/online-ca.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";
import { clientLeaf, type Forgery, forge } from "./pki/forge.ts";
import { requestFor } from "./step-ca/requests.ts";

// Nothing runs here: a rotation is to get as far as its keys.
vi.mock("../../stacks/host/rotation/running.ts", () => ({ assertSomebodyRuns: () => undefined }));

/** Every kind of bad input that a deployment meets: each has a typed reason, an exit code and an event. */
const { authentication, policy, configuration } = EXIT;
const TWO_DAYS = 2 * 24 * 60;
let own: Authorities;
let other: Authorities;
let ca: OnlineCa;
let backend: TestBackend;
const made = new TestCeremony();

beforeAll(async () => {
  [own, other] = await Promise.all([makeAuthorities("acme"), makeAuthorities("other")]);
  ca = new OnlineCa(own.issuers.gateways);
  backend = new TestBackend(own, { gateways: ca });
  ca.backend = backend;
  await backend.start();
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => {
  backend.close();
  made.remove();
});

const exitOf = (reason: string): number | undefined =>
  allErrors().get(`DENIED_${reason.toUpperCase().replaceAll("-", "_")}`)?.exit;
const byGateways = (change: Partial<Forgery>) => (): Promise<CertifiedKey> =>
  forge({ issuer: own.issuers.gateways, subject: subject("gateways", "gw-01"), ...change });

function subject(unit: string, name: string, tenant = "acme"): Forgery["subject"] {
  return [{ O: [tenant] }, { OU: [unit] }, { CN: [name] }];
}

describe("a certificate at the backend's listener", () => {
  const { serverAuth } = x509.ExtendedKeyUsage;
  test.each<[string, DenialReason, number, () => Promise<CertifiedKey>]>([
    ["of another authority", "wrong-ca", authentication, async () => leafOf(await makeAuthorities("acme"), "gw-01")],
    ["from another tenant", "wrong-ca", authentication, () => leafOf(other, "gw-01")],
    ["that has expired", "expired", authentication, byGateways({ fromMinutes: -60, toMinutes: -1 })],
    ["that is not yet valid", "not-yet-valid", authentication, byGateways({ fromMinutes: 5 })],
    [
      "of a clock 48 h ahead",
      "not-yet-valid",
      authentication,
      byGateways({ fromMinutes: TWO_DAYS, toMinutes: 2 * TWO_DAYS }),
    ],
    [
      "of a clock 48 h behind",
      "expired",
      authentication,
      byGateways({ fromMinutes: -2 * TWO_DAYS, toMinutes: -TWO_DAYS }),
    ],
    ["of another usage", "wrong-usage", policy, byGateways({ extensions: clientLeaf([], [serverAuth]) })],
    ["of another class", "not-permitted", policy, byGateways({ subject: subject("services", "svc-backend") })],
    [
      "of another tenant by our authority",
      "not-permitted",
      policy,
      byGateways({ subject: subject("gateways", "gw-01", "other") }),
    ],
    [
      "with a name that is not allowed",
      "not-permitted",
      policy,
      byGateways({ extensions: clientLeaf([{ type: "dns", value: "example.org" }]) }),
    ],
    [
      "with an unknown critical extension",
      "not-permitted",
      policy,
      byGateways({ extensions: [...clientLeaf(), new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]))] }),
    ],
  ])("%s is %s", async (_, reason, exit, show) => {
    const from = backend.events.length;
    await expect(backend.call(await show(), "GET", "/v1/gateway/allowlist")).rejects.toThrow();
    const event = { kind: "AUTH_FAILED", object: "tls", sourceAddress: expect.stringContaining("127.0.0.1"), reason };
    await expect.poll(() => backend.events.slice(from)).toContainEqual(expect.objectContaining(event));
    expect(exitOf(reason)).toBe(exit);
  });

  test("of a gateway that calls itself svc-… is let in, and may do nothing", async () => {
    const shown = await byGateways({ subject: subject("gateways", "svc-broker") })();
    const code = "BACKEND_ROLE_REFUSED";
    expect(await backend.call(shown, "GET", "/v1/broker/trust")).toMatchObject({
      status: 403,
      body: { error: { code } },
    });
    expect(backend.events.at(-1)).toMatchObject({ kind: "AUTH_FAILED", actor: "unknown", reason: code });
    expect(allErrors().get(code)?.exit).toBe(authentication);
  });
});

describe("a request at the enrolment", () => {
  const spoilt = async (): Promise<string> => {
    const { csrPem } = await requestFor("gw-01");
    const der = Buffer.from(new x509.Pkcs10CertificateRequest(csrPem).rawData);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    return x509.PemConverter.encode(der, "CERTIFICATE REQUEST");
  };
  const named = async (...of: Parameters<typeof requestFor>): Promise<string> => (await requestFor(...of)).csrPem;
  const approved = async (csrPem: string): Promise<string> => csrPem;
  test.each<[string, DenialReason, number, () => Promise<string>, string?]>([
    ["with a bad self-signature", "bad-self-signature", authentication, spoilt],
    ["that cannot be read", "corrupt", EXIT.resource, () => approved("AAAA")],
    ["that nobody has asked for", "unknown-device", policy, () => named("gw-01")],
    [
      "of a clock 48 h behind",
      "clock-skew",
      authentication,
      () => named("gw-01"),
      new Date(Date.now() - TWO_DAYS * 60_000).toISOString(),
    ],
    [
      "of a clock 48 h ahead",
      "clock-skew",
      authentication,
      () => named("gw-01"),
      new Date(Date.now() + TWO_DAYS * 60_000).toISOString(),
    ],
  ])("%s is %s", async (_, reason, exit, make, timestamp) => {
    const from = backend.events.length;
    const asked = { csrPem: await make(), provisioner: "backend", ...(timestamp && { timestamp }) };
    expect((await ca.ask(asked)).body).toMatchObject({ allow: false, error: { code: reason } });
    expect(backend.events.slice(from)).toMatchObject([{ kind: "ENROLMENT_REFUSED", reason }]);
    expect(exitOf(reason)).toBe(exit);
  });
});

describe("at the command line", () => {
  const denied = (): unknown => {
    const last = readFileSync(join(made.dir, "logs/deploy.ndjson"), "utf8").trim().split("\n").at(-1);
    return JSON.parse(last ?? "{}").event;
  };
  const issue = ["certs", "issue", "gw-07", "-o", "x.pem"];

  test.each<[string, DenialReason, number, () => Promise<string>]>([
    ["somebody else's name", "foreign-name", policy, async () => (await requestFor("gw-08")).csrPem],
    ["a gateway that calls itself svc-…", "wrong-class", policy, async () => (await requestFor("svc-broker")).csrPem],
    [
      "another tenant",
      "foreign-tenant",
      policy,
      async () => (await requestFor("gw-07", { subject: [{ O: ["other"] }, { CN: ["gw-07"] }] })).csrPem,
    ],
    ["a name that is not allowed", "name-not-allowed", policy, async () => (await requestFor("Gw 07")).csrPem],
    ["a weak key", "weak-key", policy, () => weakRequest()],
  ])("a request with %s is %s", async (_, reason, exit, make) => {
    writeFileSync(made.file("x.csr"), await make());
    expect((await made.run(...issue, "--csr", "x.csr")).exit).toBe(exit);
    expect(denied()).toMatchObject({ kind: "CERT_DENIED", object: "certs issue gw-07", reason });
    expect(exitOf(reason)).toBe(exit);
  });

  test("a wrong passphrase, and a corrupt key file", async () => {
    writeFileSync(made.file("words"), `${"0".repeat(64)}\n`);
    const { exit } = await made.run("certs", "rotate", "--what", "intermediate:gateways");
    expect([exit, denied()]).toMatchObject([
      authentication,
      { kind: "CERT_DENIED", reason: "SIGNER_PASSPHRASE_WRONG" },
    ]);
    writeFileSync(join(made.dir, "authorities/gateways.key"), "no key");
    expect((await made.run(...issue)).exit).toBe(configuration);
    expect(denied()).toMatchObject({ kind: "CERT_DENIED", reason: "STATE_CORRUPT" });
  });
});

/** A request of an RSA key of 1024 bits. */
async function weakRequest(): Promise<string> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=gw-07",
    keys,
    signingAlgorithm: algorithm,
  });
  return csr.toString("pem");
}
