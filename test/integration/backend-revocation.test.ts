import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredAuthority } from "../../certs/authority.ts";
import { issueCrl } from "../../certs/crl.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { normalSerial } from "../../certs/serial.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

let own: Authorities;
let foreign: Authorities;
let backend: TestBackend;
let admin: CertifiedKey;
let broker: CertifiedKey;
let gw: CertifiedKey;

beforeAll(async () => {
  [own, foreign] = await Promise.all([makeAuthorities("acme"), makeAuthorities("acme")]);
  [admin, broker, gw] = await Promise.all([leafOf(own, "op-admin"), leafOf(own, "svc-broker"), leafOf(own, "gw-01")]);
});
beforeEach(async () => {
  backend = new TestBackend(own);
  await backend.start();
  await operator("POST", "/v1/certificates", { chain_pem: gw.certPem });
  return () => backend.close();
});

const operator = async (method: string, path: string, body?: unknown): Promise<Reply> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply;
};
const serialOf = ({ certPem }: CertifiedKey): string => normalSerial(new X509Certificate(certPem).serialNumber);
const listOf = async (authority: StoredAuthority, number: bigint, serials: readonly string[] = []): Promise<string> => {
  const revoked = serials.map((serial) => ({ serial, at: new Date(), reason: "keyCompromise" as const }));
  return (await issueCrl(authority, { number, revoked, now: new Date() })).pem;
};
const put = (crls: readonly string[], issuers: readonly string[] = []): Promise<Reply> =>
  backend.call(admin, "PUT", "/v1/crls", { body: { crls, issuers } });
const feed = async (): Promise<Reply["body"]> => (await backend.call(broker, "GET", "/v1/broker/trust")).body;
const revoke = (serial: string, body: object = { reason: "keyCompromise" }): Promise<Reply> =>
  backend.call(admin, "POST", `/v1/certificates/${serial}/revoke`, { body });
describe("a revocation list", () => {
  it("is taken, given to the broker with its issuer, and kept over a restart", async () => {
    const { gateways } = own.issuers;
    const pem = await listOf(gateways, 3n);
    expect(await put([pem])).toMatchObject({ status: 200 });
    await backend.restart();
    const [crl] = (await feed()).crls;
    expect(crl).toMatchObject({ issuer: "TrustKern gateways", number: "3", pem, next_update: expect.any(String) });
    expect(new X509Certificate(crl.issuer_pem).fingerprint256).toBe(
      new X509Certificate(gateways.certPem).fingerprint256,
    );
  });

  it("of the root and of an authority that comes with it is taken too", async () => {
    const { certPem } = own.issuers.operators;
    const lists = [await listOf(own.root, 1n), await listOf(own.issuers.operators, 1n)];
    expect(await put(lists)).toMatchObject(refusal(400, "CRL_ISSUER_UNKNOWN"));
    expect((await put(lists, [certPem])).body.crls).toHaveLength(2);
  });

  it.each<[string, () => Promise<string>, string, number]>([
    ["is torn", async () => (await listOf(own.issuers.gateways, 9n)).slice(0, 300), "CRL_REFUSED", 409],
    ["has a changed byte", async () => changed(await listOf(own.issuers.gateways, 9n)), "CRL_REFUSED", 409],
    ["is a certificate", async () => own.issuers.gateways.certPem, "CRL_REFUSED", 409],
    ["is older", () => listOf(own.issuers.gateways, 4n), "CRL_REFUSED", 409],
    ["is another one of the same number", () => listOf(own.issuers.gateways, 5n, ["7f"]), "CRL_REFUSED", 409],
    ["is of the same name and another key", () => listOf(foreign.issuers.gateways, 9n), "CRL_ISSUER_UNKNOWN", 400],
    ["is of an authority that was never recorded", () => listOf(own.issuers.operators, 9n), "CRL_ISSUER_UNKNOWN", 400],
    ["is signed by another of our keys", () => forged(), "CRL_REFUSED", 409],
  ])("that %s changes nothing, and is an event", async (_, make, code, status) => {
    await put([await listOf(own.issuers.gateways, 5n)]);
    const before = await feed();
    expect(await put([await make()])).toMatchObject(refusal(status, code));
    expect(await feed()).toEqual(before);
    expect(backend.events).toContainEqual(expect.objectContaining({ kind: "CRL_REJECTED", reason: code }));
  });

  it("whose root is trusted no more is given to nobody, and no newer one of it is taken", async () => {
    await put([await listOf(own.root, 1n), await listOf(own.issuers.gateways, 1n)]);
    backend.anchorsPem = own.root.certPem + foreign.root.certPem;
    expect((await feed()).crls).toHaveLength(2);
    await put([await listOf(foreign.root, 1n)]);
    backend.anchorsPem = foreign.root.certPem;
    expect((await feed()).crls.map(({ issuer }: { issuer: string }) => issuer)).toEqual(["TrustKern root"]);
    expect(await put([await listOf(own.issuers.gateways, 2n)])).toMatchObject(refusal(400, "CRL_ISSUER_UNKNOWN"));
  });

  it("that has ended is not taken", async () => {
    const pem = await listOf(own.issuers.gateways, 1n);
    backend.aheadMs = 8 * 86_400_000;
    expect(await put([pem])).toMatchObject(refusal(409, "CRL_REFUSED"));
  });

  it("is looked at for a certificate that nobody has recorded, under its own issuer alone", async () => {
    const stranger = await leafOf(own, "gw-02");
    const serial = serialOf(stranger);
    const { gateways, operators } = own.issuers;
    await put([await listOf(operators, 1n, [serial])], [operators.certPem]);
    const call = () => backend.call(stranger, "GET", "/v1/gateway/allowlist");
    expect(await call()).toMatchObject(refusal(403, "TOKEN_MISSING"));
    await put([await listOf(gateways, 1n, [serial])]);
    expect(await call()).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
    await backend.restart();
    expect(await call()).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
  });

  it("of the root refuses everybody under an authority that it names, and nobody else", async () => {
    const { gateways } = own.issuers;
    await put([await listOf(own.root, 1n, [serialOf(gateways)])]);
    const refused = refusal(403, "CERTIFICATE_REVOKED");
    for (const who of [gw, await leafOf(own, "gw-02")])
      expect(await backend.call(who, "GET", "/v1/gateway/allowlist")).toMatchObject(refused);
    expect(await backend.call(broker, "GET", "/v1/broker/trust")).toMatchObject({ status: 200 });
    expect(await backend.call(admin, "GET", "/v1/gateways")).toMatchObject({ status: 200 });
  });

  it("brings no authority along that the root did not sign", async () => {
    const { gateways } = foreign.issuers;
    expect(await put([await listOf(gateways, 1n)], [gateways.certPem])).toMatchObject(
      refusal(409, "CERTIFICATE_REFUSED"),
    );
  });

  it("revokes here what it names, with an entry and an event", async () => {
    await put([await listOf(own.issuers.gateways, 1n, [serialOf(gw)])]);
    expect((await feed()).ended).toMatchObject([
      { name: "gw-01", reason: "certificate-revoked", serial: serialOf(gw) },
    ]);
    expect(await backend.call(gw, "GET", "/v1/gateway/allowlist")).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
    expect((await operator("GET", "/v1/audit")).body.ledger).toContain('"reason":"listed"');
  });
});

describe("a revocation", () => {
  it("is refused at once, ends that certificate's session, and stays over a restart", async () => {
    const answer = await revoke(serialOf(gw).toUpperCase());
    expect(answer).toMatchObject({
      status: 200,
      body: { state: "revoked", reason: "keyCompromise", crl_number: null },
    });
    await backend.restart();
    expect(await backend.call(gw, "GET", "/v1/gateway/allowlist")).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
    expect((await feed()).ended).toEqual([
      { seq: 1, name: "gw-01", reason: "certificate-revoked", serial: serialOf(gw) },
    ]);
    await revoke(serialOf(gw));
    expect((await feed()).ended).toHaveLength(1);
  });

  it("of a gateway takes its tokens along", async () => {
    const { token } = (await operator("POST", "/v1/gateways/gw-01/tokens")).body;
    await operator("POST", "/v1/gateways/gw-01/revoke", { reason: "cessationOfOperation" });
    expect((await operator("GET", "/v1/gateways/gw-01/tokens")).body).toMatchObject([
      { revoked_at: expect.any(String) },
    ]);
    const again = await leafOf(own, "gw-01");
    const reply = await backend.call(again, "GET", "/v1/gateway/allowlist", { token });
    expect(reply).toMatchObject(refusal(409, "GATEWAY_REVOKED"));
    expect(await backend.call(admin, "POST", "/v1/gateways/gw-01/tokens")).toMatchObject(
      refusal(409, "GATEWAY_REVOKED"),
    );
  });

  it.each<[string, (made: CertifiedKey) => Promise<Reply>]>([
    ["recorded", ({ certPem }) => backend.call(admin, "POST", "/v1/certificates", { body: { chain_pem: certPem } })],
    ["shown", (made) => backend.call(made, "GET", "/v1/gateway/allowlist")],
  ])("of a gateway holds for what is issued for it behind the backend's back, once that is %s", async (_, learn) => {
    await operator("POST", "/v1/gateways/gw-01/revoke", { reason: "keyCompromise" });
    const made = await leafOf(own, "gw-01");
    expect(await learn(made)).toMatchObject(refusal(409, "GATEWAY_REVOKED"));
    await expect
      .poll(async () => (await feed()).ended)
      .toContainEqual(expect.objectContaining({ name: "gw-01", serial: serialOf(made) }));
    const record = (await operator("GET", "/v1/certificates")).body.find(
      ({ serial }: { serial: string }) => serial === serialOf(made),
    );
    expect(record).toMatchObject({ state: "revoked", reason: "cessationOfOperation" });
    expect(await backend.call(made, "GET", "/v1/gateway/allowlist")).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
    await operator("POST", "/v1/certificates", { chain_pem: made.certPem });
    const { ledger } = (await operator("GET", "/v1/audit")).body;
    expect(ledger.split(`"serial":"${serialOf(made)}"`)).toHaveLength(3);
  });

  it("of an operator holds for the operator", async () => {
    const leaving = await leafOf(own, "op-admin");
    await operator("POST", "/v1/certificates", { chain_pem: leaving.certPem });
    expect(await backend.call(leaving, "GET", "/v1/gateways")).toMatchObject({ status: 200 });
    await revoke(serialOf(leaving));
    expect(await backend.call(leaving, "GET", "/v1/gateways")).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
  });

  it.each([
    ["a serial number of nobody", "7f7f", {}, 404, "CERTIFICATE_UNKNOWN"],
    ["no serial number", "zz", {}, 400, "HTTP_BODY_INVALID"],
    ["a reason that there is not", "7f7f", { reason: "boredom" }, 400, "HTTP_BODY_INVALID"],
  ])("of %s is refused", async (_, serial, body, status, code) => {
    expect(await revoke(serial, body)).toMatchObject(refusal(status, code));
  });

  it("is not for gateways, nor for the broker", async () => {
    const path = `/v1/certificates/${serialOf(gw)}/revoke`;
    for (const who of [broker, gw])
      expect(await backend.call(who, "POST", path)).toMatchObject(refusal(403, "BACKEND_ROLE_REFUSED"));
    expect(await backend.call(gw, "GET", "/v1/broker/trust")).toMatchObject(refusal(403, "BACKEND_ROLE_REFUSED"));
  });
});

function changed(pem: string): string {
  const lines = pem.split("\n");
  const bytes = Buffer.from(lines.slice(1, -2).join(""), "base64");
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return [lines[0], bytes.toString("base64"), lines.at(-2), ""].join("\n");
}

/** The list of the gateways' authority, signed by that of the operators. */
function forged(): Promise<string> {
  const { signingKey } = own.issuers.operators;
  return listOf({ ...own.issuers.gateways, signingKey }, 9n);
}
