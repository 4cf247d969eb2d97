import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { LOCK_MS, MAX_FAILURES, WINDOW_MS } from "../../services/backend/tokens/lock-out.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const ROUTE = "/v1/gateway/allowlist";
const WRONG = `gw_${"A".repeat(54)}`;
let own: Authorities;
let backend: TestBackend;
let admin: CertifiedKey;
let gw: CertifiedKey;
let twin: CertifiedKey;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  [admin, gw, twin] = await Promise.all([leafOf(own, "op-admin"), leafOf(own, "gw-01"), leafOf(own, "gw-01")]);
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
const issue = async (body?: unknown, name = "gw-01"): Promise<{ id: string; token: string; expires_at: string }> =>
  (await operator("POST", `/v1/gateways/${name}/tokens`, body)).body;
const fetchWith = (token: string | undefined, who = gw, from = "127.0.0.1"): Promise<Reply> =>
  backend.call(who, "GET", ROUTE, { token, from });
const failures = async (count: number, who = gw, from = "127.0.0.1"): Promise<void> => {
  for (let i = 0; i < count; i += 1) expect(await fetchWith(WRONG, who, from)).toMatchObject({ status: 403 });
};

describe("a token", () => {
  it("opens the gateway's routes with its certificate, and is shown once", async () => {
    const { id, token } = await issue();
    expect(token).toMatch(/^gw_[\w-]{54}$/);
    expect(await fetchWith(token)).toMatchObject({ status: 200, body: { payloadType: expect.any(String) } });
    const { body } = await operator("GET", "/v1/gateways/gw-01/tokens");
    expect(body).toMatchObject([{ id, revoked_at: null, last_used_at: expect.any(String) }]);
    expect(JSON.stringify([body, backend.events])).not.toContain(token.slice(3));
    expect(backend.events).toContainEqual(expect.objectContaining({ kind: "TOKEN_ISSUED", reason: id }));
  });

  it("is used by nobody who has not called", async () => {
    await issue();
    expect((await operator("GET", "/v1/gateways/gw-01/tokens")).body).toMatchObject([{ last_used_at: null }]);
  });

  it.each<[string, () => Promise<Reply>, string]>([
    ["no token", () => fetchWith(undefined), "TOKEN_MISSING"],
    ["a token of another form", () => fetchWith("secret"), "TOKEN_INVALID"],
    ["a token that nobody has", () => fetchWith(WRONG), "TOKEN_INVALID"],
    [
      "its token and another certificate of it",
      async () => fetchWith((await issue()).token, twin),
      "TOKEN_OTHER_CERTIFICATE",
    ],
  ])("is needed: refuses %s, with an event", async (_, call, code) => {
    expect(await call()).toMatchObject(refusal(403, code));
    const wanted = { kind: "TOKEN_AUTH_FAILED", actor: "gw-01", reason: code, sourceAddress: "127.0.0.1" };
    expect(backend.events).toContainEqual(expect.objectContaining(wanted));
  });

  it("that is stolen opens nothing without a gateway's certificate", async () => {
    const { token } = await issue();
    const others = await Promise.all(["svc-collector", "svc-broker", "gw-02"].map((name) => leafOf(own, name)));
    for (const who of [admin, ...others])
      expect(await fetchWith(token, who)).toMatchObject({ status: 403, body: { error: {} } });
    await expect(backend.call(null, "GET", ROUTE, { token })).rejects.toThrow();
    const foreign = await leafOf(await makeAuthorities("acme"), "gw-01");
    await expect(fetchWith(token, foreign)).rejects.toThrow();
    expect(await fetchWith(token)).toMatchObject({ status: 200 });
  });

  it("of one gateway opens nothing for another", async () => {
    const second = await leafOf(own, "gw-02");
    await operator("POST", "/v1/certificates", { chain_pem: second.certPem });
    const { token } = await issue({}, "gw-02");
    expect(await fetchWith(token, second)).toMatchObject({ status: 200 });
    expect(await fetchWith(token)).toMatchObject(refusal(403, "TOKEN_INVALID"));
  });

  it("ends at its time", async () => {
    const { token, expires_at } = await issue({ lifetime_days: 1 });
    expect(Date.parse(expires_at) - backend.now()).toBeLessThanOrEqual(DAY);
    backend.aheadMs = DAY - 5_000;
    expect(await fetchWith(token)).toMatchObject({ status: 200 });
    backend.aheadMs = DAY;
    expect(await fetchWith(token)).toMatchObject(refusal(403, "TOKEN_EXPIRED"));
  });

  it("goes on beside the next one for the overlap, so that a rotation has no gap", async () => {
    const old = await issue();
    const fresh = (await operator("POST", "/v1/gateways/gw-01/tokens/rotate", { overlap_hours: 1 })).body;
    for (const { token } of [old, fresh]) expect(await fetchWith(token)).toMatchObject({ status: 200 });
    backend.aheadMs = HOUR;
    expect(await fetchWith(old.token)).toMatchObject(refusal(403, "TOKEN_EXPIRED"));
    expect(await fetchWith(fresh.token)).toMatchObject({ status: 200 });
  });

  it("is rotated for the certificate that it works with, although another of the same name is newer", async () => {
    await issue();
    backend.aheadMs = HOUR;
    await operator("POST", "/v1/certificates", { chain_pem: twin.certPem });
    const rotate = async () => (await operator("POST", "/v1/gateways/gw-01/tokens/rotate", {})).body.token;
    expect(await fetchWith(await rotate())).toMatchObject({ status: 200 });
    const serial = new X509Certificate(gw.certPem).serialNumber.toLowerCase();
    await operator("POST", `/v1/certificates/${serial}/revoke`, { reason: "superseded" });
    expect(await fetchWith(await rotate(), twin)).toMatchObject({ status: 200 });
  });

  it("that is revoked is refused at once, also after a restart, and its gateway's session ends", async () => {
    const { id, token } = await issue();
    await operator("POST", `/v1/gateways/gw-01/tokens/${id}/revoke`);
    expect(await fetchWith(token)).toMatchObject(refusal(403, "TOKEN_REVOKED"));
    await backend.restart();
    expect(await fetchWith(token)).toMatchObject(refusal(403, "TOKEN_REVOKED"));
    const trust = await backend.call(await leafOf(own, "svc-broker"), "GET", "/v1/broker/trust");
    expect(trust.body.ended).toEqual([{ seq: 1, name: "gw-01", reason: "token-revoked" }]);
  });

  it.each([
    ["a gateway that nobody knows", "gw-99", undefined, 404, "GATEWAY_UNKNOWN"],
    ["one without a certificate", "gw-02", undefined, 409, "TOKEN_NO_CERTIFICATE"],
    ["a serial number of nobody", "gw-01", { certificate_serial: "7f" }, 404, "CERTIFICATE_UNKNOWN"],
    ["no day", "gw-01", { lifetime_days: 0 }, 400, "HTTP_BODY_INVALID"],
    ["366 days", "gw-01", { lifetime_days: 366 }, 400, "HTTP_BODY_INVALID"],
    ["a member too many", "gw-01", { token: WRONG }, 400, "HTTP_BODY_INVALID"],
    ["a service's name", "svc-backend", undefined, 400, "HTTP_BODY_INVALID"],
  ])("is not made for %s", async (_, name, body, status, code) => {
    const reply = await backend.call(admin, "POST", `/v1/gateways/${name}/tokens`, { body });
    expect(reply).toMatchObject(refusal(status, code));
  });
});

describe("lock-out", () => {
  it("comes with the fifth failure within 60 s, refuses the right token too, and ends after 10 min", async () => {
    const { token } = await issue();
    await failures(MAX_FAILURES - 1);
    expect(await fetchWith(token)).toMatchObject({ status: 200 });
    await failures(1);
    const locked = await fetchWith(token);
    expect(locked).toMatchObject(refusal(429, "IDENTITY_LOCKED"));
    expect(Number(locked.retryAfter)).toBeGreaterThan(LOCK_MS / 1000 - 60);
    expect(Number(locked.retryAfter)).toBeLessThanOrEqual(LOCK_MS / 1000);
    expect(backend.events).toContainEqual(
      expect.objectContaining({ kind: "IDENTITY_LOCKED", object: "gw-01", sourceAddress: "127.0.0.1" }),
    );
    backend.aheadMs = LOCK_MS;
    expect(await fetchWith(token)).toMatchObject({ status: 200 });
  });

  it("counts no failure that is 60 s old", async () => {
    await failures(MAX_FAILURES - 1);
    backend.aheadMs = WINDOW_MS;
    await failures(MAX_FAILURES - 1);
    expect(await fetchWith(WRONG)).toMatchObject({ status: 403 });
    expect(await fetchWith(WRONG)).toMatchObject({ status: 429 });
  });

  it("and the failures before it survive a restart", async () => {
    const { token } = await issue();
    await failures(MAX_FAILURES - 1);
    await backend.restart();
    await failures(1);
    await backend.restart();
    expect(await fetchWith(token)).toMatchObject(refusal(429, "IDENTITY_LOCKED"));
  });

  it("holds for that gateway from that address alone", async () => {
    const { token } = await issue();
    await failures(MAX_FAILURES);
    expect(await fetchWith(token)).toMatchObject({ status: 429 });
    expect(await fetchWith(token, gw, "127.0.0.2")).toMatchObject({ status: 200 });
    expect(await fetchWith(WRONG, await leafOf(own, "gw-02"))).toMatchObject(refusal(403, "TOKEN_INVALID"));
    expect(await backend.call(admin, "GET", "/v1/gateways")).toMatchObject({ status: 200 });
  });

  it("cannot be brought about by who has no certificate of the gateway", async () => {
    const { token } = await issue();
    const foreign = await leafOf(await makeAuthorities("acme"), "gw-01");
    for (let i = 0; i < 2 * MAX_FAILURES; i += 1) await expect(fetchWith(WRONG, foreign)).rejects.toThrow();
    expect(await fetchWith(token)).toMatchObject({ status: 200 });
  });
});
