import { X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueServiceLeaf } from "../../certs/classes/leaf-service.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { opensslRequest } from "./step-ca/forged.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { enrol, operatorLeaf, requestFor, vouchedLeaf } from "./step-ca/requests.ts";
import { allowed, denied } from "./step-ca/webhook.ts";

const DAY_MS = 86_400_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());
afterEach(() => {
  ca.webhook.answer = allowed;
});

/** Kinds of misuse that show in the certificate alone, whatever the backend says. */
const AFTER: readonly [string, string, () => Promise<unknown>][] = [
  [
    "P-224",
    "weak-key",
    async () => enrol(ca, { request: await opensslRequest(ca, ["ec", "-pkeyopt", "ec_paramgen_curve:P-224"]) }),
  ],
  [
    "P-521",
    "weak-key",
    async () => enrol(ca, { request: await opensslRequest(ca, ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"]) }),
  ],
  ["RSA of 3072 bits", "weak-key", async () => enrol(ca, { request: await opensslRequest(ca, ["rsa:3072"]) })],
  ["Ed25519", "weak-key", async () => enrol(ca, { request: await opensslRequest(ca, ["ed25519"]) })],
  ...[
    "svc-backend",
    "op-admin",
    "gw-01.gateways.acme.trustkern.internal",
    "GW-01",
    "gw-",
    "gateways-ca.acme.trustkern.internal",
    "*",
  ].map((name): [string, string, () => Promise<unknown>] => [
    `the name ${name}`,
    "webhook",
    async () => enrol(ca, { subject: name, request: await requestFor(name) }),
  ]),
  [
    "a gateway that trustkern.yaml does not name",
    "policy",
    async () => enrol(ca, { subject: "gw-99", request: await requestFor("gw-99") }),
  ],
  ["a life longer than 90 days", "policy", () => enrol(ca, { notAfter: new Date(Date.now() + 91 * DAY_MS) })],
  ["a life of a minute", "policy", () => enrol(ca, { notAfter: new Date(Date.now() + 60_000) })],
  ["an operator's name with the backend's key", "wrong-usage", () => vouchedLeaf(ca, "op-admin", {}, "operators")],
  ["a gateway's name with the operators' key", "webhook", () => operatorLeaf(ca, "gw-01")],
  ["an operator that the deployment does not know", "policy", () => operatorLeaf(ca, "op-mallory")],
];

describe("an online authority refuses, whatever the backend says,", () => {
  test.each(AFTER)("%s (%s)", async (_, path, misuse) => {
    await expect(misuse()).rejects.toMatchObject({ code: "STEP_CA_REFUSED", path });
  });

  test("names that a request has beside its own: they are not in the certificate", async () => {
    const subject = [{ O: ["other"] }, { OU: ["services"] }, { CN: ["gw-01"] }];
    const { certPem } = await enrol(ca, { request: await requestFor("gw-01", { subject, dnsNames: ["gw-01"] }) });
    const leaf = new X509Certificate(certPem);
    expect(leaf.subject).toBe("O=acme\nOU=gateways\nCN=gw-01");
    expect(leaf.subjectAltName).toBe("DNS:gw-01.gateways.acme.trustkern.internal");
  });
});

describe("an online authority fails closed when the backend", () => {
  test.each(["unknown-device", "revoked-device", "already-enrolled", "foreign-maker", "foreign-name"])(
    "refuses with %s, and says so",
    async (reason) => {
      ca.webhook.answer = () => denied(reason);
      await expect(enrol(ca)).rejects.toMatchObject({ code: "STEP_CA_REFUSED", path: reason });
    },
  );

  test.each([
    ["refuses without a reason", { body: { allow: false } }, "webhook"],
    ["says nothing", { body: {} }, "webhook"],
    ["fails twice", { status: 500, body: {} }, "webhook"],
    ["does not know it", { status: 403, body: {} }, "webhook"],
    ["allows without a name", { body: { allow: true, data: { serial: "5".repeat(32) } } }, "webhook"],
    ["allows without data", { body: { allow: true } }, "webhook"],
    ["allows without a serial number", { body: { allow: true, data: { name: "gw-01" } } }, "webhook"],
    ["allows with a short serial number", { body: { allow: true, data: { name: "gw-01", serial: "01" } } }, "webhook"],
    [
      "allows a name of another class",
      { body: { allow: true, data: { name: "svc-backend", serial: "5".repeat(32) } } },
      "webhook",
    ],
    [
      "gives the device another name",
      { body: { allow: true, data: { name: "gw-02", serial: "5".repeat(32) } } },
      "foreign-name",
    ],
  ])("%s", async (_, answer, path) => {
    ca.webhook.answer = () => answer;
    await expect(enrol(ca)).rejects.toMatchObject({ code: "STEP_CA_REFUSED", path });
  });

  test("is away, is somebody else, or speaks TLS 1.2", async () => {
    const { authority: root } = await issueRoot({ tenant: "acme", now: new Date() });
    const { authority: services } = await issueIntermediate(root, { leafClass: "services", now: new Date() });
    const impostor = await issueServiceLeaf(services, {
      name: "svc-backend",
      ipAddresses: ["127.0.0.1"],
      now: new Date(),
    });
    await ca.webhook.close();
    await expect(enrol(ca)).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    await ca.openWebhook({}, impostor);
    await expect(enrol(ca)).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    await ca.openWebhook({ minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
    await expect(enrol(ca)).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    await ca.openWebhook();
    expect((await enrol(ca)).certPem).toContain("BEGIN CERTIFICATE");
  });
});
