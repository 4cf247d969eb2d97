import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createGateways } from "../fleet/gateways.ts";
import { insertMadeDevice } from "../fleet/made-devices.ts";
import { openDatabase } from "../registry/database.ts";
import { createEnrolmentTokens, type EnrolmentTokens } from "./enrolment-tokens.ts";

const [HARDWARE, OTHER] = ["0123456789abcdef01", "0123456789abcdef02"];
const now = (): number => 1_000_000;
let stateDir: string;
let tokens: EnrolmentTokens;
let token: string;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "tk-enrolment-"));
  const db = openDatabase(stateDir);
  for (const [name, hardwareId] of [
    ["gw-01", HARDWARE],
    ["gw-02", OTHER],
  ] as const) {
    const facts = {
      hardwareId,
      kind: "gateway",
      maker: "zeta",
      model: "TK 100",
      publicKey: `04${hardwareId}`,
    } as const;
    insertMadeDevice(db, facts, "record", now());
    createGateways(db, now).assign(name, hardwareId);
  }
  tokens = createEnrolmentTokens(db, now);
  token = tokens.issue({
    gateway: { name: "gw-01", hardwareId: HARDWARE, enrolledAtMs: null },
    lifetimeHours: 1,
  }).token;
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

it.each([
  ["another made device", { hardwareId: OTHER }],
  ["no device", { hardwareId: "" }],
  ["a part of the device's number", { hardwareId: HARDWARE.slice(0, -1) }],
  ["another gateway", { gateway: "gw-02" }],
  ["another gateway with its own device", { gateway: "gw-02", hardwareId: OTHER }],
  ["another token", { token: "tke_nobody" }],
])("refuses an enrolment token for %s, and takes it afterwards from whom it is for", (_, changes) => {
  const check = { gateway: "gw-01", hardwareId: HARDWARE, token };
  expect(() => tokens.verify({ ...check, ...changes })).toThrow(
    expect.objectContaining({ code: "ENROLMENT_TOKEN_INVALID" }),
  );
  expect(tokens.verify(check)).toMatchObject({ gateway: "gw-01", hardwareId: HARDWARE, ended: null });
});
