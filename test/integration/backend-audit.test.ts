import { createPublicKey, X509Certificate } from "node:crypto";
import { beforeAll, beforeEach, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { verifyLedger } from "../../certs/ledger/verify.ts";
import { normalSerial } from "../../certs/serial.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

let own: Authorities;
let foreign: Authorities;
let backend: TestBackend;
let admin: CertifiedKey;
let gw: CertifiedKey;

beforeAll(async () => {
  [own, foreign] = await Promise.all([makeAuthorities("acme"), makeAuthorities("acme")]);
  [admin, gw] = await Promise.all([leafOf(own, "op-admin"), leafOf(own, "gw-01")]);
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
const revoke = (serial: string): Promise<Reply> =>
  operator("POST", `/v1/certificates/${serial}/revoke`, { reason: "keyCompromise" });
const audit = async (): Promise<{ readonly ledger: string; readonly codes: readonly string[] }> => {
  const { ledger, head } = (await operator("GET", "/v1/audit")).body;
  const found = await verifyLedger({ text: ledger, head, publicKey: createPublicKey(backend.key.pem()) });
  return { ledger, codes: found.map(({ code }) => code) };
};

it("has every issued and revoked certificate once, and verifies", async () => {
  await operator("POST", "/v1/certificates", { chain_pem: gw.certPem });
  await revoke(serialOf(gw));
  await revoke(serialOf(gw));
  await backend.restart();
  const { ledger, codes } = await audit();
  expect(codes).toEqual([]);
  const entries = ledger
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries.map(({ kind, serial, actor }) => [kind, serial, actor])).toEqual([
    ["issued", serialOf(gw), "op-admin"],
    ["revoked", serialOf(gw), "op-admin"],
  ]);
});

it("finishes a revocation that died between the journal and the registry, with an event", async () => {
  const serial = serialOf(gw);
  await revoke(serial);
  // What a process leaves that is killed in between.
  backend.db.exec("UPDATE certificate SET state = 'issued', reason = NULL, revoked_at = NULL");
  backend.db.exec("DELETE FROM ended_session");
  expect(await backend.call(gw, "GET", "/v1/gateway/allowlist")).toMatchObject(refusal(403, "TOKEN_MISSING"));
  await backend.restart();
  expect(await backend.call(gw, "GET", "/v1/gateway/allowlist")).toMatchObject(refusal(403, "CERTIFICATE_REVOKED"));
  const finished = { kind: "CERT_REVOKED", object: serial, reason: "finished after a restart" };
  expect(backend.events).toContainEqual(expect.objectContaining(finished));
  const [ended] = backend.db.prepare("SELECT name, serial FROM ended_session").all();
  expect(ended).toEqual({ name: "gw-01", serial });
  await backend.restart();
  const { ledger, codes } = await audit();
  expect([ledger.split('"kind":"revoked"').length, codes]).toEqual([2, []]);
});

it("does not verify with a record changed or taken away", async () => {
  await revoke(serialOf(gw));
  const { ledger, head } = (await operator("GET", "/v1/audit")).body;
  const publicKey = createPublicKey(backend.key.pem());
  for (const text of [ledger.replace("keyCompromise", "unspecified"), ledger.slice(ledger.indexOf("\n") + 1)])
    expect(await verifyLedger({ text, head, publicKey })).not.toEqual([]);
});

it.each([
  ["of another deployment", async () => (await leafOf(foreign, "gw-03")).certPem],
  ["without its authority", async () => leafAlone(await leafOf(own, "gw-03"))],
  ["that cannot be read", async () => "x".repeat(80)],
])("records no chain %s", async (_, make) => {
  const chain_pem = await make();
  expect(await backend.call(admin, "POST", "/v1/certificates", { body: { chain_pem } })).toMatchObject(
    refusal(409, "CERTIFICATE_REFUSED"),
  );
  expect((await audit()).ledger.trimEnd().split("\n")).toHaveLength(1);
});

function leafAlone({ certPem }: CertifiedKey): string {
  const end = "-----END CERTIFICATE-----\n";
  return `${certPem.slice(0, certPem.indexOf(end))}${end}`;
}
