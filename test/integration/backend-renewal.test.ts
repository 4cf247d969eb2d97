import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueIntermediate } from "../../certs/classes/intermediate.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import { normalSerial } from "../../certs/serial.ts";
import { insertMadeDevice } from "../../services/backend/fleet/made-devices.ts";
import { createBackendClient } from "../../services/gateway/identity/backend-client.ts";
import { createIdentity, type Identity } from "../../services/gateway/identity/identity.ts";
import { openIdentityFile } from "../../services/gateway/identity/identity-file.ts";
import { createRenewal, type Renewal } from "../../services/gateway/identity/renewal.ts";
import { fingerprintOf } from "../../stacks/host/pem.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { OnlineCa } from "./backend/online-ca.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";
import { forge } from "./pki/forge.ts";
import { requestFor } from "./step-ca/requests.ts";

const DAY_MINUTES = 24 * 60;
const HARDWARE = "0123456789abcdef01";
let own: Authorities;
let admin: CertifiedKey;
let ca: OnlineCa;
let backend: TestBackend;
let folder: string;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  admin = await leafOf(own, "op-admin");
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-br-"));
  ca = new OnlineCa(own.issuers.gateways);
  backend = new TestBackend(own, { gateways: ca });
  ca.backend = backend;
  await backend.start();
});
afterEach(() => {
  backend.close();
  rmSync(folder, { recursive: true });
});

const operator = async (method: string, path: string, body?: unknown): Promise<Reply["body"]> => {
  const reply = await backend.call(admin, method, path, { body });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply.body;
};

/** What a gateway shows. */
interface Held extends CertifiedKey {
  readonly token: string;
}

/** A gateway's certificate of which that many of its 90 days are over, and a token for it; both are on record. */
async function credential(name: string, days: number, isMade = false): Promise<Held> {
  const leaf = await forge({
    issuer: own.issuers.gateways,
    subject: [{ O: ["acme"] }, { OU: ["gateways"] }, { CN: [name] }],
    fromMinutes: -days * DAY_MINUTES,
    toMinutes: (90 - days) * DAY_MINUTES,
  });
  if (isMade) await recordDevice(name, leaf.keyPem);
  await operator("POST", "/v1/certificates", { chain_pem: leaf.certPem });
  const body = { certificate_serial: normalSerial(new X509Certificate(leaf.certPem).serialNumber) };
  return { ...leaf, token: (await operator("POST", `/v1/gateways/${name}/tokens`, body)).token };
}

/** Puts a key on record as the root of trust of a made device that has that name. */
async function recordDevice(name: string, keyPem: string): Promise<void> {
  const publicKey = createPublicKey(createPrivateKey(keyPem)).export({ format: "raw-public" }).toString("hex");
  const device = { hardwareId: HARDWARE, kind: "gateway", maker: "northwind", model: "TK 100", publicKey } as const;
  insertMadeDevice(backend.db, device, "record", Date.now());
  await operator("PUT", `/v1/gateways/${name}`, { hardware_id: HARDWARE });
}

interface Renewing {
  readonly renewal: Renewal;
  readonly identity: Identity;
  readonly failures: unknown[];
}

/** The parts of a gateway that renew it, as its process puts them together. */
function gatewayOf(name: string, held: Held, deviceKeyPem?: string): Renewing {
  const failures: unknown[] = [];
  const common = { gateway: name, ca: () => own.root.certPem, now: Date.now };
  const file = openIdentityFile(folder, (error) => failures.push(error));
  file.save({ current: { cert: held.certPem, key: held.keyPem, token: held.token } });
  const identity = createIdentity({ ...common, file, configured: null });
  const client = createBackendClient({ target: backend.target, identity, now: Date.now, random: () => 0 });
  const renewal = createRenewal({
    ...{ ...common, client, identity, file, authorities: () => [], onRenewed: () => undefined },
    deviceKeyPem: deviceKeyPem === undefined ? undefined : () => deviceKeyPem,
    onFailure: (thrown) => failures.push(thrown),
  });
  return { renewal, identity, failures };
}

describe("a gateway whose device is on its maker's record", () => {
  it("renews with the device's key, and works with what it got", async () => {
    const held = await credential("gw-07", 65, true);
    const { renewal, identity, failures } = gatewayOf("gw-07", held, held.keyPem);
    await renewal.tick();
    expect(failures).toEqual([]);
    const [newest] = identity.credentials();
    expect(newest?.sha256).not.toBe(fingerprintOf(held.certPem));
    const fresh = { certPem: newest?.certPem ?? "", keyPem: newest?.keyPem ?? "" };
    expect(new X509Certificate(fresh.certPem).checkPrivateKey(createPrivateKey(held.keyPem))).toBe(true);
    const reply = await backend.call(fresh, "GET", "/v1/gateway/allowlist", { token: newest?.token ?? "" });
    expect(reply.status).toBe(200);
  });

  it("gets no other key certified, by itself or by an operator", async () => {
    const held = await credential("gw-07", 65, true);
    const { renewal, identity, failures } = gatewayOf("gw-07", held);
    await renewal.tick();
    expect(failures).toMatchObject([{ path: "DENIED_FOREIGN_NAME" }]);
    expect(identity.credentials().map(({ sha256 }) => sha256)).toEqual([fingerprintOf(held.certPem)]);
    const { csrPem } = await requestFor("gw-07");
    const asked = await backend.call(admin, "POST", "/v1/gateways/gw-07/certificate", { body: { csr: csrPem } });
    expect(asked).toMatchObject(refusal(409, "DENIED_FOREIGN_NAME"));
    expect((await operator("GET", "/v1/certificates")).map(({ state }: { state: string }) => state)).toEqual([
      "issued",
    ]);
  });
});

describe("how often a gateway may renew", () => {
  const renew = async (held: Held, name = "gw-01"): Promise<Reply> => {
    const { csrPem } = await requestFor(name);
    const call = { token: held.token, body: { csr: csrPem } };
    return backend.call(held, "POST", "/v1/gateway/certificate", call);
  };
  const issued = async (): Promise<number> => (await operator("GET", "/v1/certificates")).length;

  it("is not before half of its certificate's life, with an event", async () => {
    const held = await credential("gw-01", 44);
    expect(await renew(held)).toMatchObject(refusal(409, "RENEWAL_EARLY"));
    const event = { kind: "AUTH_FAILED", actor: "gw-01", reason: "RENEWAL_EARLY" };
    expect(backend.events).toContainEqual(expect.objectContaining(event));
    expect(await issued()).toBe(1);
    expect(await renew(await credential("gw-01", 46))).toMatchObject({ status: 200 });
  });

  it("is at once where its authority is replaced, and not where its authority stays", async () => {
    const held = await credential("gw-01", 1);
    const { authority } = await issueIntermediate(own.root, { leafClass: "gateways", now: new Date() });
    const announce = (...pems: readonly string[]) =>
      operator("PUT", "/v1/trust", {
        anchors: [own.root.certPem],
        broker_pins: ["ab".repeat(32)],
        gateway_authorities: pems.map(fingerprintOf),
      });
    await announce(authority.certPem, own.issuers.gateways.certPem);
    expect(await renew(held)).toMatchObject(refusal(409, "RENEWAL_EARLY"));
    await announce(authority.certPem);
    expect(await renew(held)).toMatchObject({ status: 200 });
  });

  it("has an end within the hour, for this gateway alone", async () => {
    const held = await credential("gw-01", 65);
    const statuses = new Set<number>();
    for (let i = 0; i < 20; i += 1) statuses.add((await renew(held)).status);
    expect([...statuses]).toEqual([200]);
    const before = await issued();
    expect(await renew(held)).toMatchObject(refusal(409, "RENEWAL_LIMIT"));
    expect(await issued()).toBe(before);
    expect(await renew(await credential("gw-02", 65), "gw-02")).toMatchObject({ status: 200 });
  });
});
