import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueDeviceLeaf } from "../../certs/classes/leaf-device.ts";
import { parseCsr } from "../../certs/csr.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { normalSerial } from "../../certs/serial.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { OnlineCa } from "./backend/online-ca.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";
import { forge } from "./pki/forge.ts";
import { requestFor } from "./step-ca/requests.ts";

const DAY_MINUTES = 24 * 60;
const HARDWARE = "0123456789abcdef01";
const MAKER = "northwind";
let own: Authorities;
let ca: OnlineCa;
let backend: TestBackend;
let admin: CertifiedKey;
let gw: CertifiedKey;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  // Two thirds of its life are over: it may be renewed.
  const subject = [{ O: ["acme"] }, { OU: ["gateways"] }, { CN: ["gw-01"] }];
  const life = { fromMinutes: -60 * DAY_MINUTES, toMinutes: 30 * DAY_MINUTES };
  const aged = forge({ issuer: own.issuers.gateways, subject, ...life });
  [admin, gw] = await Promise.all([leafOf(own, "op-admin"), aged]);
});
beforeEach(async () => {
  ca = new OnlineCa(own.issuers.gateways);
  backend = new TestBackend(own, { gateways: ca });
  ca.backend = backend;
  await backend.start();
  await operator("POST", "/v1/certificates", { chain_pem: gw.certPem });
  return () => backend.close();
});

const operator = async (method: string, path: string, body?: unknown): Promise<Reply> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply;
};
const certificates = async () => (await operator("GET", "/v1/certificates")).body;
const serialOf = (pem: string): string => normalSerial(new X509Certificate(pem).serialNumber);

/** A device with its request and its maker's certificate; recorded as gw-07 unless told otherwise. */
async function madeDevice(recorded = true): Promise<{ csrPem: string; keyPem: string; devicePem: string }> {
  const made = await requestFor("gw-07");
  const { publicKeySpki } = await parseCsr(made.csrPem);
  const identity = { hardwareId: HARDWARE, maker: MAKER, model: "TK 100", now: new Date(), key: { publicKeySpki } };
  const { certPem } = await issueDeviceLeaf(own.maker, identity);
  if (recorded) {
    const point = publicKeySpki.subarray(-65).toString("hex");
    const insert = backend.db.prepare(
      "INSERT INTO made_device VALUES (?, 'gateway', ?, 'TK 100', ?, 'record', 'made', 1)",
    );
    insert.run(HARDWARE, MAKER, point);
    await operator("PUT", "/v1/gateways/gw-07", { hardware_id: HARDWARE });
  }
  return { ...made, devicePem: certPem };
}

describe("the webhook", () => {
  it("lets a made device in once, and knows its certificate before it exists", async () => {
    const { csrPem, devicePem, keyPem } = await madeDevice();
    const { body } = await ca.ask({ csrPem, devicePem, provisioner: "makers" });
    expect(body).toMatchObject({
      allow: true,
      data: { name: "gw-07", serial: expect.stringMatching(/^[4-7][0-9a-f]{31}$/) },
    });
    const certPem = await ca.certify(csrPem, "gw-07", body.data.serial);
    const reply = await backend.call({ certPem, keyPem }, "GET", "/v1/gateway/allowlist");
    expect(reply).toMatchObject(refusal(403, "TOKEN_MISSING"));
    const { token } = (await operator("POST", "/v1/gateways/gw-07/tokens")).body;
    expect(await backend.call({ certPem, keyPem }, "GET", "/v1/gateway/allowlist", { token })).toMatchObject({
      status: 200,
    });
    const again = await ca.ask({ csrPem, devicePem, provisioner: "makers" });
    expect(again.body).toMatchObject({ allow: false, error: { code: "already-enrolled" } });
  });

  it.each<[string, string, string]>([
    ["a device that nobody recorded", "makers", "unknown-device"],
    ["a request that the backend did not make", "backend", "unknown-device"],
    ["the operators' provisioner", "operators", "wrong-class"],
    ["a provisioner that there is not", "eve", "wrong-class"],
  ])("refuses %s", async (_, provisioner, code) => {
    const { csrPem, devicePem } = await madeDevice(false);
    expect((await ca.ask({ csrPem, devicePem, provisioner })).body).toMatchObject({ allow: false, error: { code } });
    expect(backend.events).toContainEqual(expect.objectContaining({ kind: "ENROLMENT_REFUSED", reason: code }));
    expect(await certificates()).toHaveLength(1);
  });

  it("wants to be told the provisioner in the header, not in the body", async () => {
    const { csrPem } = await madeDevice();
    expect(await ca.ask({ csrPem, provisioner: "" })).toMatchObject(refusal(400, "HTTP_BODY_INVALID"));
  });

  it("answers nobody but the issuer itself, and the issuer nothing else", async () => {
    const path = "/v1/enrolment/gateways";
    for (const who of [admin, gw, await leafOf(own, "svc-broker")])
      expect(await backend.call(who, "POST", path, { body: {} })).toMatchObject(refusal(403, "ENROLMENT_PEER_REFUSED"));
    const server = await ca.server();
    for (const [method, other] of [
      ["GET", path],
      ["POST", "/v1/enrolment/operators"],
    ] as const)
      expect(await backend.call(server, method, other)).toMatchObject(refusal(403, "ENROLMENT_PEER_REFUSED"));
    expect(await backend.call(server, "GET", "/v1/certificates")).toMatchObject(refusal(403, "BACKEND_ROLE_REFUSED"));
  });
});

describe("a gateway that renews itself", () => {
  const renewing = async (token: string, name = "gw-01", who = gw): Promise<Reply & { readonly keyPem: string }> => {
    const { csrPem, keyPem } = await requestFor(name);
    return {
      ...(await backend.call(who, "POST", "/v1/gateway/certificate", { token, body: { csr: csrPem } })),
      keyPem,
    };
  };
  const tokenOf = async (): Promise<string> => (await operator("POST", "/v1/gateways/gw-01/tokens")).body.token;

  it("gets a certificate and a token for it, and the old ones go on", async () => {
    const old = await tokenOf();
    const { status, body, keyPem } = await renewing(old);
    expect([status, body.token?.token]).toEqual([200, expect.stringMatching(/^gw_/)]);
    const fresh = { certPem: body.chain, keyPem };
    expect(await backend.call(fresh, "GET", "/v1/gateway/allowlist", { token: body.token.token })).toMatchObject({
      status: 200,
    });
    expect(await backend.call(gw, "GET", "/v1/gateway/allowlist", { token: old })).toMatchObject({ status: 200 });
    for (const [who, token] of [
      [gw, body.token.token],
      [fresh, old],
    ])
      expect(await backend.call(who, "GET", "/v1/gateway/allowlist", { token })).toMatchObject(
        refusal(403, "TOKEN_OTHER_CERTIFICATE"),
      );
    const { ledger } = (await operator("GET", "/v1/audit")).body;
    expect(ledger.split(`"serial":"${serialOf(body.chain)}"`)).toHaveLength(2);
  });

  it("gets neither for another name, nor without a token", async () => {
    const token = await tokenOf();
    expect(await renewing(token, "gw-02")).toMatchObject(refusal(409, "DENIED_FOREIGN_NAME"));
    expect(await renewing(`gw_${"A".repeat(54)}`)).toMatchObject(refusal(403, "TOKEN_INVALID"));
    expect(await certificates()).toHaveLength(1);
  });

  it("has no token for a certificate that it was never given", async () => {
    const token = await tokenOf();
    ca.losesAnswers = true;
    expect(await renewing(token)).toMatchObject({ body: { error: { code: "ISSUING_FAILED" } } });
    expect((await operator("GET", "/v1/gateways/gw-01/tokens")).body).toHaveLength(1);
    expect((await certificates()).map(({ state }: { state: string }) => state)).toEqual(["issued", "expected"]);
  });

  it("is never kept from it by answers that it did not get", async () => {
    const token = await tokenOf();
    for (let i = 0; i < 10; i += 1) expect(await renewing(token)).toMatchObject({ status: 200 });
    expect(await backend.call(gw, "GET", "/v1/gateway/allowlist", { token })).toMatchObject({ status: 200 });
  });

  it("that is revoked gets nothing, and its issuer's list names it", async () => {
    const token = await tokenOf();
    const { body } = await renewing(token);
    const revoked = await operator("POST", `/v1/certificates/${serialOf(body.chain)}/revoke`, {
      reason: "keyCompromise",
    });
    expect(revoked.body.crl_number).toBe("1");
    expect(ca.revoked.map(({ serial }) => serial)).toEqual([serialOf(body.chain)]);
    await operator("POST", "/v1/gateways/gw-01/revoke");
    expect(await renewing(token)).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
  });

  it.each<[string, string, () => string]>([
    ["it is revoked", "GATEWAY_REVOKED", () => "/v1/gateways/gw-01/revoke"],
    ["its certificate is revoked", "CERTIFICATE_REVOKED", () => `/v1/certificates/${serialOf(gw.certPem)}/revoke`],
  ])("while %s gets nothing, and the issuer's list names what was signed", async (_, code, path) => {
    const token = await tokenOf();
    ca.meanwhile = () => operator("POST", path(), { reason: "keyCompromise" });
    expect((await renewing(token)).body).toMatchObject({ error: { code } });
    const made = (await certificates()).filter(({ serial }: { serial: string }) => serial !== serialOf(gw.certPem));
    expect(made).toMatchObject([{ state: "revoked" }]);
    await expect.poll(() => ca.revoked.map(({ serial }) => serial)).toContain(made[0].serial);
    const broker = await leafOf(own, "svc-broker");
    const { ended } = (await backend.call(broker, "GET", "/v1/broker/trust")).body;
    expect(ended).toContainEqual(expect.objectContaining({ name: "gw-01", serial: made[0].serial }));
    expect((await operator("GET", "/v1/gateways/gw-01/tokens")).body).toHaveLength(1);
  });
});

it("tells once of a revocation in the issuer's list that it did not ask for, also over a restart", async () => {
  await ca.revoke("5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
  await backend.refresh();
  await backend.restart();
  await backend.refresh();
  const told = backend.events.filter(({ reason }) => reason === "listed and unknown here");
  expect(told).toMatchObject([{ kind: "CERT_REVOKED", object: "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a" }]);
  const { ledger } = (await operator("GET", "/v1/audit")).body;
  expect(ledger).toContain('"reason":"listed","seq":');
});
