import { X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { verifyGatewayConfiguration } from "../../protocol/gateway-configuration.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import { type Reply, TestBackend } from "./backend/in-process.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

const DAY = 86_400_000;
const PIN = "ab".repeat(32);
const [OLD, NEW] = ["0a".repeat(32), "0b".repeat(32)];
let own: Authorities;
let backend: TestBackend;
let admin: CertifiedKey;
let gw: CertifiedKey;
let token: string;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  [admin, gw] = await Promise.all([leafOf(own, "op-admin"), leafOf(own, "gw-77")]);
});
beforeEach(async () => {
  backend = new TestBackend(own);
  await backend.start();
  token = await introduced(gw);
  return () => backend.close();
});

const sha256 = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
const operator = async (method: string, path: string, body?: unknown): Promise<Reply["body"]> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply.body;
};
const setTrust = (more: object = {}) =>
  operator("PUT", "/v1/trust", { anchors: [own.root.certPem], broker_pins: [PIN], ...more });
const fetched = (query: string, who = gw, by = token): Promise<Reply> =>
  backend.call(who, "GET", `/v1/gateway/configuration?${query}`, { token: by });
const known = async (name = "gw-77") =>
  ((await operator("GET", "/v1/gateways")) as { name: string }[]).find((each) => each.name === name);

/** Has the backend know a gateway's certificate, and gives a token for it. */
async function introduced({ certPem }: CertifiedKey): Promise<string> {
  const { serial } = await operator("POST", "/v1/certificates", { chain_pem: certPem });
  return (await operator("POST", "/v1/gateways/gw-77/tokens", { certificate_serial: serial })).token;
}

describe("what is known of a gateway", () => {
  it("is its certificate alone while it has not come, and nothing of one without a certificate", async () => {
    expect(await known()).toMatchObject({ valid_until: expect.any(String), shown: null, trust: null });
    expect(await known("gw-02")).toMatchObject({ valid_until: null, shown: null, trust: null });
  });

  it("is what it showed last, with the authority that it sent", async () => {
    await setTrust();
    await fetched("");
    const authority_sha256 = sha256(own.issuers.gateways.certPem);
    expect(await known()).toMatchObject({ shown: { certificate_sha256: sha256(gw.certPem), authority_sha256 } });
    const next = await leafOf(own, "gw-77");
    await fetched("", next, await introduced(next));
    expect(await known()).toMatchObject({ shown: { certificate_sha256: sha256(next.certPem), authority_sha256 } });
  });

  it("is not what somebody showed without its token", async () => {
    await setTrust();
    await fetched(`anchors=${NEW}&pins=`, gw, `gw_${"A".repeat(54)}`);
    expect(await known()).toMatchObject({ shown: null, trust: null });
  });

  it("is not that it trusts what it has only fetched, but what it says it has in force", async () => {
    await setTrust();
    await fetched("");
    expect(await known()).toMatchObject({ trust: null });
    await fetched(`anchors=${OLD},${NEW}&pins=${PIN}`);
    const trust = { anchors: [OLD, NEW], broker_pins: [PIN], at: expect.any(String) };
    expect(await known()).toMatchObject({ trust });
    await backend.restart();
    expect(await known()).toMatchObject({ trust });
    await fetched(`anchors=${NEW}&pins=`);
    expect(await known()).toMatchObject({ trust: { anchors: [NEW], broker_pins: [] } });
  });

  it.each([
    "",
    `anchors=${NEW}`,
    `pins=${PIN}`,
    `anchors=&pins=${PIN}`,
    `anchors=${NEW.toUpperCase()}&pins=`,
    `anchors=${NEW}x&pins=`,
    `anchors=${NEW}&pins=pin`,
    `anchors=${Array.from({ length: 17 }, () => NEW)}&pins=`,
  ])("stays what it was where it says %j", async (query) => {
    await setTrust();
    await fetched(`anchors=${OLD}&pins=${PIN}`);
    expect((await fetched(query)).status).toBe(200);
    expect(await known()).toMatchObject({ trust: { anchors: [OLD], broker_pins: [PIN] } });
  });

  it("is no valid certificate once they have expired, or the gateway is revoked", async () => {
    backend.aheadMs = 91 * DAY;
    expect(await known()).toMatchObject({ valid_until: null });
    backend.aheadMs = 0;
    await operator("POST", "/v1/gateways/gw-77/revoke", {});
    expect(await known()).toMatchObject({ state: "revoked", valid_until: null });
  });
});

describe("the authorities whose leaves may stay", () => {
  const read = async () => {
    const { dsse } = (await fetched("")).body;
    const backendKey = importP256Point(bytesOfHex(backend.key.publicKey));
    return verifyGatewayConfiguration({ dsse, backendKey, audience: "gateway/gw-77", currentVersion: 0 });
  };

  it("are none at first, come with the configuration, and stay where nothing is said of them", async () => {
    expect(await setTrust()).toMatchObject({ version: 1, gateway_authorities: [] });
    expect(await read()).toMatchObject({ version: 1, gatewayAuthorities: [] });
    expect(await setTrust({ gateway_authorities: [NEW] })).toMatchObject({ version: 2, gateway_authorities: [NEW] });
    expect(await setTrust()).toMatchObject({ version: 2, gateway_authorities: [NEW] });
    expect(await setTrust({ broker_pins: [OLD] })).toMatchObject({ version: 3, gateway_authorities: [NEW] });
    expect(await read()).toMatchObject({ version: 3, gatewayAuthorities: [NEW], brokerPins: [OLD] });
    expect(await setTrust({ broker_pins: [OLD], gateway_authorities: [] })).toMatchObject({ version: 4 });
    expect(await read()).toMatchObject({ gatewayAuthorities: [] });
  });

  it.each([[["0B".repeat(32)]], [["0b"]], ["0b".repeat(32)], [null], [Array.from({ length: 9 }, () => NEW)]])(
    "are not %j",
    async (gateway_authorities) => {
      const body = { anchors: [own.root.certPem], broker_pins: [PIN], gateway_authorities };
      expect((await backend.call(admin, "PUT", "/v1/trust", { body })).status).toBe(400);
    },
  );

  it("are an operator's to say", async () => {
    const body = { anchors: [own.root.certPem], broker_pins: [PIN], gateway_authorities: [NEW] };
    expect((await backend.call(gw, "PUT", "/v1/trust", { body, token })).status).toBe(403);
  });
});
