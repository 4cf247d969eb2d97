import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueOperatorLeaf } from "../../certs/classes/leaf-operator.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { askStepCa } from "../../certs/step-ca/transport.ts";
import { x509 } from "../../certs/x509.ts";
import { brokenSignature, forgedLeaf, forgedToken, opensslRequest, stolenKey, strangersKey } from "./step-ca/forged.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { backendToken, device, deviceToken, enrol, operatorLeaf, requestFor, vouchedLeaf } from "./step-ca/requests.ts";

const DAY_MS = 86_400_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());

const now = () => new Date();
const sensirio = () => ca.authority("sensirio");
const made = () => device(sensirio());

/** A maker of the same name in a deployment of the same name, and all under another root. */
async function foreignDevice() {
  const { authority: root } = await issueRoot({ tenant: "acme", now: now() });
  const { authority } = await issueIntermediate(root, { maker: "sensirio", now: now() });
  return device(authority);
}

/** Kinds of misuse that the authority finds by itself: the backend is not even asked. */
const BEFORE: readonly [string, string, () => Promise<unknown>][] = [
  ["no token", "request", () => enrol(ca, { token: "" })],
  ["a token that is none", "token", () => enrol(ca, { token: "a.b.c" })],
  ["a device of another root", "token", async () => enrol(ca, { by: await foreignDevice() })],
  [
    "a device of a maker that is not known here",
    "token",
    async () => enrol(ca, { by: await device(ca.authority("other"), "other") }),
  ],
  ["a service's certificate", "token", async () => enrol(ca, { by: await ca.service("backend") })],
  [
    "an operator's certificate",
    "token",
    async () => enrol(ca, { by: await issueOperatorLeaf(ca.authority("operators"), { name: "op-admin", now: now() }) }),
  ],
  ["a gateway's own certificate, also one that it got here", "token", async () => enrol(ca, { by: await enrol(ca) })],
  [
    "an expired device certificate",
    "token",
    async () =>
      enrol(ca, {
        by: await forgedLeaf(sensirio(), {
          notBefore: new Date(Date.now() - DAY_MS),
          notAfter: new Date(Date.now() - 1_000),
        }),
      }),
  ],
  [
    "a device certificate that is not valid yet",
    "token",
    async () => enrol(ca, { by: await forgedLeaf(sensirio(), { notBefore: new Date(Date.now() + 3_600_000) }) }),
  ],
  [
    "a device certificate for servers alone",
    "token",
    async () => enrol(ca, { by: await forgedLeaf(sensirio(), { usage: x509.ExtendedKeyUsage.serverAuth }) }),
  ],
  [
    "a device's certificate with another key",
    "token",
    async () => enrol(ca, { by: { ...(await made()), keyPem: strangersKey() } }),
  ],
  ["a token of a clock that is 48 h ahead", "token", () => enrol(ca, { now: new Date(Date.now() + 2 * DAY_MS) })],
  ["a token of a clock that is 48 h behind", "token", () => enrol(ca, { now: new Date(Date.now() - 2 * DAY_MS) })],
  [
    "a token that has ended",
    "token",
    async () => enrol(ca, { token: await forgedToken(ca, await made(), { expires: -120 }) }),
  ],
  [
    "a token for later",
    "token",
    async () => enrol(ca, { token: await forgedToken(ca, await made(), { notBefore: 600 }) }),
  ],
  ["a token for the other authority", "token", () => enrol(ca, { servername: "operators-ca.acme.trustkern.internal" })],
  [
    "a token for another deployment's authority",
    "token",
    () => enrol(ca, { servername: "gateways-ca.other.trustkern.internal" }),
  ],
  ["a token that revokes", "token", async () => enrol(ca, { token: await backendToken(ca, "revoke", "gw-01") })],
  ["a token of the other provisioner's name", "token", () => enrol(ca, { provisioner: "backend" })],
  [
    "a token with another issuer",
    "token",
    async () => enrol(ca, { token: await forgedToken(ca, await made(), { issuer: "backend" }) }),
  ],
  [
    "a token for nobody",
    "token",
    async () => enrol(ca, { token: await forgedToken(ca, await made(), { subject: "" }) }),
  ],
  ["the backend's name with a stranger's key", "token", () => vouchedLeaf(ca, "gw-01", { keyPem: strangersKey() })],
  [
    "the key identifier of the backend with a stranger's signature",
    "token",
    async () => {
      const [header = "", body = ""] = (await backendToken(ca, "sign", "gw-01")).split(".");
      return enrol(ca, { token: `${header}.${body}.${Buffer.alloc(64, 1).toString("base64url")}` });
    },
  ],
  [
    "a token of no algorithm",
    "token",
    async () => {
      const [, body = ""] = (await backendToken(ca, "sign", "gw-01")).split(".");
      return enrol(ca, { token: `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.` });
    },
  ],
  [
    "a request whose signature is broken",
    "request",
    async () => enrol(ca, { request: brokenSignature(await requestFor("gw-01")) }),
  ],
  ["a request for somebody else's key", "request", async () => enrol(ca, { request: await stolenKey() })],
  [
    "a request that is none",
    "request",
    async () => enrol(ca, { request: { csrPem: "gw-01", keyPem: "" }, token: await deviceToken(ca, {}) }),
  ],
  [
    "another request than the one that the token is for",
    "policy",
    async () => enrol(ca, { token: await deviceToken(ca, { request: await requestFor("gw-01") }) }),
  ],
  [
    "a request for another name than the token's",
    "policy",
    async () => enrol(ca, { request: await requestFor("gw-02") }),
  ],
  [
    "a request with a name of its own beside the token's",
    "policy",
    async () => enrol(ca, { request: await requestFor("gw-01", { dnsNames: ["backend.acme.trustkern.internal"] }) }),
  ],
  ["RSA of 1024 bits", "policy", async () => enrol(ca, { request: await opensslRequest(ca, ["rsa:1024"]) })],
];

describe("an online authority refuses, before it asks the backend,", () => {
  test.each(BEFORE)("%s (%s)", async (_, path, misuse) => {
    ca.webhook.asked.length = 0;
    const seen = await misuse().then(
      () => "issued",
      (error: unknown) => error,
    );
    expect(seen).toMatchObject({ code: "STEP_CA_REFUSED", path });
    // One enrolment is part of the misuse where a gateway vouches with what it got.
    expect(ca.webhook.asked.length).toBeLessThanOrEqual(1);
  });

  test("a token that was used before, also after it starts again, and after kill -9", async () => {
    const used = await requestFor("gw-01");
    const token = await deviceToken(ca, { request: used });
    await enrol(ca, { request: used, token });
    await expect(enrol(ca, { request: used, token })).rejects.toMatchObject({ path: "token" });
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await ca.end("gateways", signal);
      await ca.run("gateways");
      await expect(enrol(ca, { request: used, token })).rejects.toMatchObject({ path: "token" });
    }
  });

  test.each([
    ["another operators' key", () => operatorLeaf(ca, "op-admin", { keyPem: strangersKey() })],
    [
      "the backend's key in the operators' name",
      () => operatorLeaf(ca, "op-admin", { keyPem: ca.secret("backend", "signing.key") }),
    ],
    ["a request for somebody else", () => operatorLeaf(ca, "op-admin", {}, "op-mallory")],
  ])("operators with %s", async (_, misuse) => {
    await expect(misuse()).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
  });
});

describe("the listener", () => {
  test("speaks no TLS 1.2", async () => {
    const { host, port, servername } = ca.endpoint("gateways");
    const socket = connect({ host, port, servername, ca: ca.rootPem, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
    const seen = await new Promise((resolve) => {
      socket.once("secureConnect", () => resolve("connected"));
      socket.once("error", (error) => resolve(error.message));
    });
    socket.destroy();
    expect(seen).toMatch(/alert protocol version/);
  });

  test("gives no secret away: not in its log, and not by what it serves", async () => {
    const { body } = await askStepCa(ca.endpoint("operators"), "/1.0/provisioners");
    const secrets = [
      ca.secret("gateways-ca", "intermediate.password"),
      ca.secret("operators-ca", "intermediate.password"),
    ];
    for (const secret of secrets) expect(ca.log + body.toString()).not.toContain(secret);
    expect(body.toString()).not.toContain("encryptedKey");
    expect(ca.secret("gateways-ca", "intermediate.key")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
  });
});
