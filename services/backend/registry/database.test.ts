import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { openDatabase, transaction } from "./database.ts";
import { MIGRATIONS } from "./schema.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "tk-registry-"));
const insert = "INSERT INTO recipient VALUES ('a', 'b', 'c')";
const unusable = expect.objectContaining({ code: "BACKEND_STATE_UNUSABLE", exit: 4 });

it("keeps what it held when it is opened again", () => {
  const dir = folder();
  const first = openDatabase(dir);
  first.exec(insert);
  first.close();
  expect(openDatabase(dir).prepare("SELECT key_id FROM recipient").all()).toEqual([{ key_id: "a" }]);
});

it("keeps nothing of a change that throws", () => {
  const db = openDatabase(folder());
  const change = (): never => {
    db.exec(insert);
    throw new Error("half-way");
  };
  expect(() => transaction(db, change)).toThrow("half-way");
  expect(db.prepare("SELECT * FROM recipient").all()).toEqual([]);
  transaction(db, () => db.exec(insert));
});

it("keeps nothing of a change that finds the disk full, says so, and goes on once there is room", () => {
  const db = openDatabase(folder());
  const pages = Number(db.prepare("PRAGMA page_count").get()?.page_count);
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const fill = (): void => {
    db.exec(insert);
    for (let i = 0; i < 200; i += 1) db.exec(`INSERT INTO recipient VALUES ('${i}', '${"x".repeat(200)}', '')`);
  };
  expect(() => transaction(db, fill)).toThrow(expect.objectContaining({ code: "BACKEND_STATE_FULL", exit: 4 }));
  expect(db.prepare("SELECT * FROM recipient").all()).toEqual([]);
  db.exec("PRAGMA max_page_count = 10000");
  transaction(db, fill);
});

it("refuses a file that is no database", () => {
  const dir = folder();
  writeFileSync(join(dir, "backend.db"), "x".repeat(4096));
  expect(() => openDatabase(dir)).toThrow(unusable);
});

it("refuses a database with damaged pages", () => {
  const dir = folder();
  const db = openDatabase(dir);
  db.exec("PRAGMA journal_mode = DELETE");
  db.close();
  const file = join(dir, "backend.db");
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096, bytes.length);
  writeFileSync(file, bytes);
  expect(() => openDatabase(dir)).toThrow(unusable);
});

it("refuses a registry of a newer version", () => {
  const dir = folder();
  const db = openDatabase(dir);
  db.exec("PRAGMA user_version = 99");
  db.close();
  expect(() => openDatabase(dir)).toThrow(unusable);
});

it("refuses a folder that it cannot make", () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  expect(() => openDatabase(join(file, "state"))).toThrow(unusable);
});

/** A registry as the first version wrote it, with a row in every table that can have one. */
function firstVersion(dir: string): void {
  const db = new DatabaseSync(join(dir, "backend.db"));
  db.exec("PRAGMA journal_mode = WAL");
  db.exec(MIGRATIONS[0]!);
  db.exec(`PRAGMA user_version = 1;
    INSERT INTO device VALUES ('${"01".repeat(9)}', '04aa', 'acme', 'tk-1', 'active', 7, 1000);
    INSERT INTO challenge VALUES ('c', '${"01".repeat(9)}', 'n', 2000, 1);
    INSERT INTO bundle VALUES ('b', '${"01".repeat(9)}', 'activated', 1500);
    INSERT INTO sensor_update VALUES ('${"01".repeat(9)}', x'0102');
    UPDATE allowlist SET version = 41;`);
  db.exec(insert);
  db.close();
}

it("keeps every row of a registry of the first version, and gives it the tables of this one", () => {
  const dir = folder();
  firstVersion(dir);
  const db = openDatabase(dir);
  expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: MIGRATIONS.length });
  expect(db.prepare("SELECT update_counter, state FROM device").all()).toEqual([
    { update_counter: 7, state: "active" },
  ]);
  for (const table of ["challenge", "bundle", "sensor_update", "recipient"])
    expect(db.prepare(`SELECT count(*) AS n FROM ${table}`).get(), table).toEqual({ n: 1 });
  expect(db.prepare("SELECT version FROM allowlist").get()).toEqual({ version: 41 });
  expect(db.prepare("SELECT count(*) AS n FROM gateway_token").get()).toEqual({ n: 0 });
  db.close();
  openDatabase(dir).close();
});

it("leaves a registry of the first version as it was when a step of the migration fails", () => {
  const dir = folder();
  firstVersion(dir);
  const before = new DatabaseSync(join(dir, "backend.db"));
  before.exec("CREATE TABLE firmware (x)");
  before.close();
  expect(() => openDatabase(dir)).toThrow(unusable);
  const after = new DatabaseSync(join(dir, "backend.db"));
  expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
  expect(after.prepare("SELECT name FROM sqlite_master WHERE name = 'maker'").all()).toEqual([]);
  after.close();
});

it("keeps tokens and ended sessions of a registry of the second version", () => {
  const dir = folder();
  const before = new DatabaseSync(join(dir, "backend.db"));
  for (const step of MIGRATIONS.slice(0, 2)) before.exec(step);
  before.exec(`PRAGMA user_version = 2;
    INSERT INTO gateway VALUES ('gw-01', NULL, 'active', NULL, 1);
    INSERT INTO gateway_token VALUES ('t', 'gw-01', 'aa', 'bb', 1, 2, NULL);
    INSERT INTO ended_session VALUES (7, 'gw-01', 'token-revoked', 1);`);
  before.close();
  const db = openDatabase(dir);
  expect(db.prepare("SELECT id, last_used_at FROM gateway_token").all()).toEqual([{ id: "t", last_used_at: null }]);
  expect(db.prepare("SELECT seq, serial FROM ended_session").all()).toEqual([{ seq: 7, serial: null }]);
  db.close();
});

it("takes a certificate of a registry of the third version to have begun when it was recorded", () => {
  const dir = folder();
  const before = new DatabaseSync(join(dir, "backend.db"));
  for (const step of MIGRATIONS.slice(0, 3)) before.exec(step);
  before.exec(`PRAGMA user_version = 3;
    INSERT INTO certificate VALUES ('a1', NULL, 'TrustKern gateways', 'gateways', 'gw-01', '04', 9000, 'issued', NULL, NULL, NULL, 1000);`);
  before.close();
  const db = openDatabase(dir);
  expect(db.prepare("SELECT not_before, not_after FROM certificate").all()).toEqual([
    { not_before: 1000, not_after: 9000 },
  ]);
  db.close();
});

it("keeps what gateways are to trust in a registry of the fourth version, and says nothing of their leaves", () => {
  const dir = folder();
  const before = new DatabaseSync(join(dir, "backend.db"));
  for (const step of MIGRATIONS.slice(0, 4)) before.exec(step);
  before.exec(`PRAGMA user_version = 4; INSERT INTO gateway_trust VALUES (1, 7, '["a"]', '["b"]');`);
  before.close();
  const db = openDatabase(dir);
  expect(db.prepare("SELECT version, anchors, gateway_authorities FROM gateway_trust").all()).toEqual([
    { version: 7, anchors: '["a"]', gateway_authorities: "[]" },
  ]);
  expect(db.prepare("SELECT * FROM gateway_contact").all()).toEqual([]);
  db.close();
});
