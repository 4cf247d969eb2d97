import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, it } from "vitest";
import { lookup, verifyAllowlist } from "../../../protocol/allowlist.ts";
import type { Audience } from "../../../protocol/allowlist-document.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { keyIdOf } from "../../../protocol/hpke.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { readUpdate } from "../../../protocol/update.ts";
import { openDatabase } from "../registry/database.ts";
import { createDevices, type DeviceIdentity, type Devices } from "../registry/devices.ts";
import { createRecipients } from "../registry/recipients.ts";
import { createAllowlists } from "./allowlists.ts";
import { gatewayOnline } from "./broker-session.ts";
import { createUpdates } from "./updates.ts";

const { publicKey: backendKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { signerFor: () => p256Signer(privateKey) };
const now = (): number => 1_800_000_000_000;

let db: DatabaseSync;
let devices: Devices;

beforeEach(() => {
  db = openDatabase(mkdtempSync(join(tmpdir(), "tk-trust-")));
  devices = createDevices(db, now);
});

function sensor(id: string, maker = "acme"): DeviceIdentity {
  const point = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "raw-public" });
  return { sensorId: id.repeat(9), publicKey: hexOf(point), maker, model: "tk-1" };
}

function verified(dsse: string, audience: Audience) {
  return verifyAllowlist({ dsse, backendKey, audience, currentVersion: 0 });
}

it("signs a copy of its own for each audience", async () => {
  devices.register(sensor("01"));
  const allowlists = createAllowlists({ db, key, now });
  const collector = await allowlists.signed("collector");
  const gateway = await allowlists.signed("gateway/gw-01");
  expect(verified(collector.dsse, "collector").document.sensors).toHaveLength(1);
  expect(verified(gateway.dsse, "gateway/gw-01").document.version).toBe(collector.version);
  expect(() => verified(gateway.dsse, "gateway/gw-02")).toThrow(
    expect.objectContaining({ code: "ALLOWLIST_AUDIENCE" }),
  );
});

it("lists revoked sensors by maker, and no longer among the allowed", async () => {
  for (const [id, maker] of [
    ["01", "acme"],
    ["02", "acme"],
    ["03", "zeta"],
    ["04", "acme"],
  ] as const)
    devices.register(sensor(id, maker));
  for (const id of ["01", "02", "03"]) devices.revoke(id.repeat(9));
  const { dsse } = await createAllowlists({ db, key, now }).signed("collector");
  const allowlist = verified(dsse, "collector");
  expect(allowlist.document.sensors.map(({ sensorId }) => sensorId)).toEqual(["04".repeat(9)]);
  expect(allowlist.document.revoked).toEqual([
    { maker: "acme", sensorIds: ["01".repeat(9), "02".repeat(9)] },
    { maker: "zeta", sensorIds: ["03".repeat(9)] },
  ]);
  expect(lookup(allowlist, "01".repeat(9))).toEqual({ kind: "revoked" });
});

it("gives the same bytes until something changes, and a greater version then", async () => {
  const allowlists = createAllowlists({ db, key, now });
  const first = await allowlists.signed("collector");
  expect(await allowlists.signed("collector")).toBe(first);
  devices.register(sensor("01"));
  const second = await allowlists.signed("collector");
  expect(second.version).toBe(first.version + 1);
  allowlists.renew();
  expect((await allowlists.signed("collector")).version).toBe(second.version + 1);
});

function updates() {
  const recipients = createRecipients(db);
  const publicKey = new Uint8Array(32).fill(9);
  const not_before = "2026-01-01T00:00:00.000Z";
  recipients.replace([{ key_id: hexOf(keyIdOf(publicKey)), public_key: hexOf(publicKey), not_before }]);
  return createUpdates({ db, key, recipients, now });
}

it("never signs two updates with one counter, and keeps the newest", async () => {
  devices.register(sensor("01"));
  const { issue, newest } = updates();
  const issued = await Promise.all([1, 2, 3].map(() => issue("01".repeat(9))));
  expect(issued.map(({ counter }) => counter).sort()).toEqual([1, 2, 3]);
  const kept = issued.find(({ counter }) => counter === 3);
  expect(newest().map(({ bytes }) => hexOf(bytes))).toEqual([hexOf(kept!.bytes)]);
});

function recipientsOf(...seeds: readonly number[]) {
  return seeds.map((seed) => {
    const publicKey = new Uint8Array(32).fill(seed);
    const not_before = "2026-01-01T00:00:00.000Z";
    return { key_id: hexOf(keyIdOf(publicKey)), public_key: hexOf(publicKey), not_before };
  });
}

it("signs what is due for every active sensor, once for each change of the keys, however often it is asked", async () => {
  for (const id of ["01", "02", "03", "04"]) devices.register(sensor(id));
  devices.revoke("04".repeat(9));
  const recipients = createRecipients(db);
  recipients.replace(recipientsOf(9));
  const { issueDue, newest } = createUpdates({ db, key, recipients, now });
  expect(await issueDue(2)).toMatchObject({ issued: [{ counter: 1 }, { counter: 1 }], remaining: 1 });
  expect(await issueDue(2)).toMatchObject({ issued: [{ sensorId: "03".repeat(9) }], remaining: 0 });
  expect(await issueDue(2)).toEqual({ issued: [], remaining: 0 });
  recipients.replace(recipientsOf(9, 7));
  expect(await issueDue(9)).toMatchObject({ issued: [{ counter: 2 }, { counter: 2 }, { counter: 2 }], remaining: 0 });
  expect(newest().map(({ bytes }) => readUpdate(bytes).keys.length)).toEqual([2, 2, 2]);
});

it("tells a sensor again when only the time has changed from which on a key is used", async () => {
  devices.register(sensor("01"));
  const recipients = createRecipients(db);
  recipients.replace(recipientsOf(9));
  const { issueDue } = createUpdates({ db, key, recipients, now });
  await issueDue(1);
  recipients.replace(recipientsOf(9).map((each) => ({ ...each, not_before: "2026-02-01T00:00:00.000Z" })));
  expect((await issueDue(1)).issued).toHaveLength(1);
});

it("signs nothing while there is no key to tell", async () => {
  devices.register(sensor("01"));
  const { issueDue, newest } = createUpdates({ db, key, recipients: createRecipients(db), now });
  await expect(issueDue(1)).rejects.toMatchObject({ code: "RECIPIENT_NONE" });
  expect(newest()).toEqual([]);
});

it("hands out no update of a revoked sensor", async () => {
  devices.register(sensor("01"));
  const { issue, newest } = updates();
  await issue("01".repeat(9));
  devices.revoke("01".repeat(9));
  expect(newest()).toEqual([]);
  await expect(issue("01".repeat(9))).rejects.toMatchObject({ code: "DEVICE_NOT_ACTIVE" });
  await expect(issue("02".repeat(9))).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
});

it.each([
  ["its own gateway online", "tk/v1/gw-01/status", '{"state":"online"}', "gw-01"],
  ["offline", "tk/v1/gw-01/status", '{"state":"offline"}', null],
  ["a gateway that it does not know", "tk/v1/gw-rogue/status", '{"state":"online"}', null],
  ["another topic", "tk/v1/gw-01/trust", '{"state":"online"}', null],
  ["no JSON", "tk/v1/gw-01/status", "online", null],
  ["JSON null", "tk/v1/gw-01/status", "null", null],
  ["more than a status needs", "tk/v1/gw-01/status", `{"state":"online"}${" ".repeat(5000)}`, null],
])("understands a status: %s", (_, topic, payload, gateway) => {
  expect(gatewayOnline(topic, Buffer.from(payload), ["gw-01"])).toBe(gateway);
});
