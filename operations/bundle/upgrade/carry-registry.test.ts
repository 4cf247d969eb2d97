import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGateways } from "../../../services/backend/fleet/gateways.ts";
import { insertMadeDevice } from "../../../services/backend/fleet/made-devices.ts";
import { openDatabase } from "../../../services/backend/registry/database.ts";
import { MIGRATIONS } from "../../../services/backend/registry/schema.ts";
import { createEnrolmentTokens } from "../../../services/backend/tokens/enrolment-tokens.ts";
import { createTokens } from "../../../services/backend/tokens/tokens.ts";
import { carryRegistry } from "./carry-registry.ts";

const HARDWARE = "0123456789abcdef01";
const SHA256 = "ab".repeat(32);
const now = (): number => 1_000_000;

let folder = "";
let [newer, older] = ["", ""];
beforeEach(() => {
  folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tk-registry-"));
  [newer, older] = ["newer", "older"].map((name) => join(folder, name, "backend.db")) as [string, string];
  for (const name of ["newer", "older"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (name: "newer" | "older"): DatabaseSync => openDatabase(join(folder, name));
const only = (file: string, sql: string): unknown => {
  const db = new DatabaseSync(file);
  const row = Object.values(db.prepare(sql).get() ?? {})[0];
  db.close();
  return row;
};

const CERTIFICATE =
  "INSERT INTO certificate (serial, sha256, issuer, class, name, public_key, not_after, state, recorded_at) VALUES";

/** The registry as it was when it was copied: an open token of a gateway, a certificate, a sensor. */
function fill(db: DatabaseSync): { readonly enrolment: string; readonly bearer: string } {
  insertMadeDevice(
    db,
    { hardwareId: HARDWARE, kind: "gateway", maker: "zeta", model: "TK 100", publicKey: "04" },
    "record",
    now(),
  );
  const gateways = createGateways(db, now);
  gateways.assign("gw-01", HARDWARE);
  const device = { name: "gw-01", hardwareId: HARDWARE, enrolledAtMs: null };
  const { token: enrolment } = createEnrolmentTokens(db, now).issue({ gateway: device, lifetimeHours: 1 });
  db.exec(`${CERTIFICATE} ('7f', '${SHA256}', 'TrustKern gateways', 'gateways', 'gw-01', '04', 9e15, 'issued', 1)`);
  const { token: bearer } = createTokens(db, now).issue({
    gateway: "gw-01",
    certificateSha256: SHA256,
    lifetimeDays: 1,
  });
  db.exec("INSERT INTO device VALUES ('s-1', '04', 'zeta', 'TK 1', 'active', 3, 1)");
  return { enrolment, bearer };
}

describe("the registry of the version before", () => {
  it("has a token that was used since as used, what was revoked since as revoked, and never an older number", () => {
    const before = open("older");
    const { enrolment, bearer } = fill(before);
    before.exec("VACUUM INTO ".concat(`'${newer}'`));
    before.close();
    const db = open("newer");
    const tokens = createEnrolmentTokens(db, now);
    tokens.consume(tokens.verify({ gateway: "gw-01", hardwareId: HARDWARE, token: enrolment }).id);
    db.exec("UPDATE device SET state = 'revoked', update_counter = 8; UPDATE allowlist SET version = 41");
    createGateways(db, now).revoke("gw-01", "keyCompromise");
    // The number of a row that is gone was given out as well.
    for (const at of [1, 2])
      db.exec(`INSERT INTO ended_session (name, reason, at) VALUES ('gw-01', 'certificate-revoked', ${at})`);
    db.exec("DELETE FROM ended_session WHERE at = 2");
    const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'ended_session'").get()?.seq;
    db.close();

    for (const _ of ["once", "twice"]) carryRegistry(newer, older);
    const after = open("older");
    expect(() =>
      createEnrolmentTokens(after, now).verify({ gateway: "gw-01", hardwareId: HARDWARE, token: enrolment }),
    ).toThrow(expect.objectContaining({ code: "ENROLMENT_TOKEN_USED" }));
    expect(() =>
      createTokens(after, now).verify({ gateway: "gw-01", certificateSha256: SHA256, token: bearer }),
    ).toThrow(expect.objectContaining({ code: "TOKEN_REVOKED" }));
    after.close();
    expect(only(older, "SELECT state FROM gateway")).toBe("revoked");
    expect(only(older, "SELECT state FROM certificate WHERE serial = '7f'")).toBe("revoked");
    expect(only(older, "SELECT state || update_counter FROM device")).toBe("revoked8");
    expect(only(older, "SELECT version FROM allowlist")).toBe(41);
    expect(only(older, "SELECT seq FROM sqlite_sequence WHERE name = 'ended_session'")).toBe(last);
    expect(last).toBeGreaterThan(Number(only(older, "SELECT max(seq) FROM ended_session")));
  });

  it.each(MIGRATIONS.map((_, index) => index + 1))(
    "of form %i takes the rows of today's, and stays of its form",
    (form) => {
      const before = new DatabaseSync(older);
      for (const step of MIGRATIONS.slice(0, form)) before.exec(step);
      before.exec(`PRAGMA user_version = ${form}`);
      if (form > 1) before.exec("INSERT INTO gateway VALUES ('gw-01', NULL, 'active', 1, 1)");
      before.exec("INSERT INTO device VALUES ('s-1', '04', 'zeta', 'TK 1', 'active', 3, 1)");
      before.close();
      const db = open("newer");
      fill(db);
      db.exec("UPDATE device SET state = 'revoked'");
      createGateways(db, now).revoke("gw-01", "keyCompromise");
      db.close();
      carryRegistry(newer, older);
      expect(only(older, "PRAGMA user_version")).toBe(form);
      expect(only(older, "SELECT state FROM device")).toBe("revoked");
      if (form > 1) expect(only(older, "SELECT state FROM gateway")).toBe("revoked");
      if (form > 1) expect(only(older, "SELECT state FROM certificate")).toBe("revoked");
      // Its own program takes it, and every step that it lacks.
      open("older").close();
    },
  );

  it("keeps no row of a table that the newer form has given up", () => {
    const before = open("older");
    fill(before);
    before.close();
    const db = open("newer");
    db.exec("DROP TABLE enrolment_token");
    db.close();
    carryRegistry(newer, older);
    expect(only(older, "SELECT count(*) FROM enrolment_token")).toBe(0);
  });

  it("stays as it was, with an error, where a row does not fit or the newer one is damaged", () => {
    const before = open("older");
    fill(before);
    before.close();
    const db = new DatabaseSync(newer);
    db.exec("CREATE TABLE device (sensor_id TEXT, state TEXT); INSERT INTO device VALUES ('s-9', 'banned')");
    db.close();
    const refused = expect.objectContaining({ code: "BUNDLE_FORWARD_REFUSED" });
    expect(() => carryRegistry(newer, older)).toThrow(refused);
    writeFileSync(newer, "no database");
    expect(() => carryRegistry(newer, older)).toThrow(refused);
    expect(only(older, "SELECT state FROM device")).toBe("active");
    expect(only(older, "SELECT count(*) FROM enrolment_token")).toBe(1);
  });

  it("stays as it was where the newer one is damaged in what no row is read from", () => {
    const before = open("older");
    fill(before);
    before.close();
    const db = open("newer");
    fill(db);
    db.exec("UPDATE device SET state = 'revoked'; PRAGMA wal_checkpoint(TRUNCATE)");
    const page = Number(only(newer, "PRAGMA page_size"));
    const root = Number(only(newer, "SELECT rootpage FROM sqlite_schema WHERE name = 'certificate_of_name'"));
    db.close();
    const bytes = readFileSync(newer);
    writeFileSync(newer, bytes.fill(0xff, (root - 1) * page, root * page));
    expect(() => carryRegistry(newer, older)).toThrow(
      expect.objectContaining({ code: "BUNDLE_FORWARD_REFUSED", message: expect.stringContaining("integrity check") }),
    );
    expect(only(older, "SELECT state FROM device")).toBe("active");
  });

  it("is left alone where there is no newer one, and is not made where it was none", () => {
    open("older").close();
    carryRegistry(newer, older);
    open("newer").close();
    rmSync(older);
    carryRegistry(newer, older);
    expect(() => only(older, "SELECT 1 FROM device")).toThrow("no such table");
  });
});
