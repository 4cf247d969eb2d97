import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { allowlistVersion } from "./allowlist-version.ts";
import { openDatabase } from "./database.ts";
import { createDevices, type DeviceIdentity, type Devices } from "./devices.ts";

const sensor = (n: number): DeviceIdentity => ({
  sensorId: String(n).padStart(18, "0"),
  publicKey: `04${String(n).padStart(128, "0")}`,
  maker: "acme",
  model: "tk-1",
});
const thrown = (code: string): unknown => expect.objectContaining({ code });

let devices: Devices;
let version: () => number;

beforeEach(() => {
  const db = openDatabase(mkdtempSync(join(tmpdir(), "tk-devices-")));
  devices = createDevices(db, () => 1000);
  version = () => allowlistVersion(db);
});

it("makes a sensor active by an operator's word, in a new version of the allowlists", () => {
  expect(devices.register(sensor(1))).toEqual({ ...sensor(1), state: "active", updateCounter: 0, changedAtMs: 1000 });
  expect(version()).toBe(1);
  expect(devices.counts()).toEqual({ provisioning: 0, active: 1, revoked: 0 });
});

it("changes nothing when the same sensor is registered again", () => {
  devices.register(sensor(1));
  devices.register(sensor(1));
  expect(version()).toBe(1);
  expect(devices.list()).toHaveLength(1);
});

it("refuses another key for an active sensor", () => {
  devices.register(sensor(1));
  const other = { ...sensor(1), publicKey: sensor(2).publicKey };
  expect(() => devices.register(other)).toThrow(thrown("DEVICE_CONFLICT"));
});

it("refuses a key that another sensor has, also a revoked one", () => {
  devices.register(sensor(1));
  const other = { ...sensor(2), publicKey: sensor(1).publicKey };
  expect(() => devices.register(other)).toThrow(thrown("DEVICE_CONFLICT"));
  devices.revoke(sensor(1).sensorId);
  expect(() => devices.register(other)).toThrow(thrown("DEVICE_CONFLICT"));
});

it("revokes for good, once", () => {
  devices.register(sensor(1));
  expect(devices.revoke(sensor(1).sensorId)).toMatchObject({ state: "revoked" });
  devices.revoke(sensor(1).sensorId);
  expect(version()).toBe(2);
  expect(() => devices.register(sensor(1))).toThrow(thrown("DEVICE_REVOKED"));
});

it("knows no sensor that was not registered", () => {
  expect(() => devices.revoke(sensor(1).sensorId)).toThrow(thrown("DEVICE_UNKNOWN"));
});
