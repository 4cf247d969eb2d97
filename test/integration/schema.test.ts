import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPasswords } from "../../services/runtime/postgres/role-passwords.ts";
import { applyRoles } from "../../services/schema/roles.ts";
import { postgresTls } from "../../shared/postgres-tls.ts";
import { DatabaseHarness, passwordOf, type TestRole } from "./database/harness.ts";
import { type DatabaseTls, makeDatabaseTls, SERVER_NAME } from "./database/tls.ts";
import { hasPostgres, PostgresHarness } from "./schema/postgres.ts";

const PROJECT = join(import.meta.dirname, "../..");
const DAY = 86_400;
const ROLES = [
  { name: "trustkern", rights: "owner" },
  { name: "collector", rights: "writer" },
  { name: "reader", rights: "reader" },
] as const;

interface Ended {
  readonly exit: number;
  readonly code: string | undefined;
  readonly lines: readonly {
    readonly msg: string;
    readonly migrations?: readonly string[];
    readonly reason?: string;
  }[];
  readonly text: string;
}

/** Runs the job, as its container does, against a database on that port. */
async function runJob(folder: string, port: number, tls: DatabaseTls, changes: object = {}): Promise<Ended> {
  const file = join(folder, `schema-${Math.random()}.json`);
  const config = {
    name: "schema",
    tenant: "acme",
    database: {
      host: "127.0.0.1",
      port,
      database: "trustkern",
      tls: { caFile: tls.files.ca, servername: SERVER_NAME },
    },
    roles: roles(folder, ["trustkern"]),
    retention: { telemetrySeconds: 90 * DAY, rawSeconds: 9 * DAY },
    waitSeconds: 1,
    ...changes,
  };
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [join(PROJECT, "services/schema/main.ts"), "--config", file]);
  const [out, err, [exit]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  const lines = out.split("\n").filter(Boolean);
  const failed = err.split("\n").find((line) => line.startsWith('{"error"'));
  return {
    exit: exit as number,
    code: failed && JSON.parse(failed).error.code,
    lines: lines.map((line) => JSON.parse(line)),
    text: out + err,
  };
}

function roles(folder: string, names: readonly TestRole[]) {
  return ROLES.filter(({ name }) => names.includes(name)).map((role) => {
    const passwordFile = join(folder, `${role.name}.secret`);
    writeFileSync(passwordFile, passwordOf(role.name));
    return { ...role, passwordFile };
  });
}

describe("the schema job", () => {
  const database = new DatabaseHarness();
  const open = new DatabaseHarness();
  let tls: DatabaseTls;
  const run = (changes: object = {}, port = database.port) => runJob(database.folder, port, tls, changes);

  beforeAll(async () => {
    tls = await makeDatabaseTls(database.folder);
    database.configure({ tls: { certFile: tls.files.cert, keyFile: tls.files.key } });
    open.configure();
    await Promise.all([database.start(), open.start()]);
  });
  afterAll(() => Promise.all([database.close(), open.close()]));

  it("makes the tables and the retention, and nothing when it runs again", async () => {
    const first = await run();
    expect(first).toMatchObject({ exit: 0, code: undefined });
    expect(first.lines.find(({ msg }) => msg === "tables")?.migrations?.length).toBeGreaterThan(3);
    const again = await run();
    expect(again).toMatchObject({ exit: 0, code: undefined });
    expect(again.lines.find(({ msg }) => msg === "tables")?.migrations).toEqual([]);
    expect(await retention()).toEqual(["216:00:00"]);
  });

  it("changes the retention of tables that are there", async () => {
    expect((await run({ retention: { telemetrySeconds: 90 * DAY, rawSeconds: 5 * DAY } })).exit).toBe(0);
    expect(await retention()).toEqual(["120:00:00"]);
  });

  it("waits for a database that starts later", async () => {
    await database.stop();
    const waiting = run({ waitSeconds: 60 });
    // It has asked in vain by then.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    database.configure({ listen: { hosts: ["127.0.0.1"], port: database.port }, tls: tlsFiles() });
    await database.start();
    const ended = await waiting;
    expect(ended).toMatchObject({ exit: 0, code: undefined });
    const reasons = ended.lines.filter(({ msg }) => msg === "waiting for the database").map(({ reason }) => reason);
    expect(reasons.length).toBeGreaterThan(0);
    expect(new Set(reasons).size).toBe(reasons.length);
  });

  it.each([
    ["there is no database", () => run({}, 1)],
    [
      "its certificate is of another authority",
      () => run(at({ tls: { caFile: tls.files.foreign, servername: SERVER_NAME } })),
    ],
    [
      "its certificate has another name",
      () => run(at({ tls: { caFile: tls.files.ca, servername: "loki.acme.internal" } })),
    ],
    ["it offers no TLS", () => run({}, open.port)],
  ])("gives up with exit code 9 when %s", async (_, attempt) => {
    expect(await attempt()).toMatchObject({ exit: 9, code: "SCHEMA_DATABASE_AWAY" });
  });

  it("does not wait when it may not log in", async () => {
    const [owner] = roles(database.folder, ["trustkern"]);
    const wrong = join(database.folder, "wrong.secret");
    writeFileSync(wrong, "another password that is long");
    const ended = await run({ roles: [{ ...owner, passwordFile: wrong }], waitSeconds: 600 });
    expect(ended).toMatchObject({ exit: 3, code: "SCHEMA_DATABASE_REFUSED" });
    expect(ended.text).not.toContain("another password");
  });

  it("finds no superuser in a database that makes its roles itself", async () => {
    expect(await run({ superuser: "postgres" })).toMatchObject({ exit: 3, code: "SCHEMA_DATABASE_REFUSED" });
  });

  it("changes nothing when one of its statements is refused", async () => {
    const [reader] = roles(database.folder, ["reader"]);
    const ended = await run({ roles: [{ ...reader, rights: "owner" }] });
    expect(ended).toMatchObject({ exit: 4, code: "MIGRATION_FAILED" });
    expect(await retention()).toEqual(["216:00:00"]);
  });

  it.each([
    ["a short password", { roles: () => [{ ...owner(), passwordFile: short() }] }, "DATABASE_ROLE_SECRET"],
    ["no password file", { roles: () => [{ ...owner(), passwordFile: "/nowhere" }] }, "SERVICE_FILE_UNREADABLE"],
    ["no owner", { roles: () => [] }, "SERVICE_CONFIG_INVALID"],
    ["a superuser that is no name", { superuser: () => "a; DROP" }, "SERVICE_CONFIG_INVALID"],
    ["a database that is no name", { database: () => ({ database: 'x" y' }) }, "SERVICE_CONFIG_INVALID"],
    ["a database without TLS", { database: () => ({ host: "h", port: 1, database: "d" }) }, "SERVICE_CONFIG_INVALID"],
  ])("does not begin with %s", async (_, changes, code) => {
    const made = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value()]));
    const ended = await run(made);
    expect(ended).toMatchObject({ code });
    expect(ended.exit).not.toBe(0);
  });

  it("ends at once when it is told to", async () => {
    const file = join(database.folder, "stopped.json");
    const config = {
      ...{ name: "schema", tenant: "acme", roles: roles(database.folder, ["trustkern"]) },
      database: { host: "127.0.0.1", port: 1, database: "trustkern", tls: { caFile: tls.files.ca, servername: "x" } },
      retention: { telemetrySeconds: DAY, rawSeconds: DAY },
    };
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(process.execPath, [join(PROJECT, "services/schema/main.ts"), "--config", file]);
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect((await once(child, "exit"))[0]).toBe(8);
  });

  const owner = () => roles(database.folder, ["trustkern"])[0];
  const tlsFiles = () => ({ certFile: tls.files.cert, keyFile: tls.files.key });
  const at = (changes: object) => ({
    database: { host: "127.0.0.1", port: database.port, database: "trustkern", ...changes },
  });
  const short = (): string => {
    const file = join(database.folder, "short.secret");
    writeFileSync(file, "short");
    return file;
  };
  const retention = async (): Promise<readonly string[]> => {
    const client = await database.connect("trustkern", { ssl: postgresTls(tls.right) });
    const { rows } = await client.query(
      `SELECT (config->>'drop_after')::interval::text AS kept FROM timescaledb_information.jobs
       WHERE proc_name = 'policy_retention' AND hypertable_name = 'envelope_raw'`,
    );
    await client.end();
    return rows.map(({ kept }) => kept);
  };
});

describe.skipIf(!hasPostgres && process.env.CI !== "true")("a real Postgres, with what is rendered for it", () => {
  const postgres = new PostgresHarness();
  beforeAll(() => postgres.start());
  afterAll(() => postgres.stop());

  const superuser = () => postgres.connect("postgres", passwordOf("trustkern"));
  const makeRoles = async (changed: Readonly<Record<string, string>> = {}) => {
    const all = roles(postgres.folder, ["trustkern", "collector", "reader"]);
    const client = await superuser();
    const passwords = new Map([...readPasswords(all), ...Object.entries(changed)]);
    await applyRoles(client, "trustkern", all, passwords).finally(() => client.end());
  };

  it("is healthy by its own check, and not on another port", () => {
    const { health } = postgres.component;
    const [, ...args] = health.kind === "command" ? health.command : [];
    const check = (replaced: (argument: string) => string) => spawnSync("pg_isready", args.map(replaced)).status;
    expect(check((argument) => argument)).toBe(0);
    expect(check((argument) => (argument === String(postgres.port) ? "1" : argument))).not.toBe(0);
  });

  it("refuses a login without TLS before any password, TLS 1.2, and a wrong password", async () => {
    await expect(postgres.connect("postgres", "", { ssl: false })).rejects.toMatchObject({ code: "28000" });
    const old = { ...postgresTls(postgres.tls.right), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    await expect(postgres.connect("postgres", passwordOf("trustkern"), { ssl: old })).rejects.toThrow();
    await expect(postgres.connect("postgres", "wrong")).rejects.toMatchObject({ code: "28P01" });
  });

  it("has its roles after one run and after two, with their passwords and no more rights than they need", async () => {
    await makeRoles();
    await makeRoles();
    for (const name of ["trustkern", "collector", "reader"] as const) {
      const client = await postgres.connect(name, passwordOf(name));
      const { rows } = await client.query(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication AS mighty FROM pg_roles WHERE rolname = current_user",
      );
      expect(rows).toEqual([{ mighty: false }]);
      await client.end();
    }
    const owner = await postgres.connect("trustkern", passwordOf("trustkern"));
    await owner.query("CREATE TABLE IF NOT EXISTS owned (n int)");
    await owner.end();
  });

  it.each([
    ["make a table", "CREATE TABLE mine (n int)"],
    ["make a temporary table", "CREATE TEMPORARY TABLE mine (n int)"],
    ["make a schema", "CREATE SCHEMA mine"],
    ["make a large object", "SELECT lo_create(0)"],
    ["become the owner", "SET ROLE trustkern"],
    ["become the superuser", "SET ROLE postgres"],
    ["read passwords", "SELECT rolpassword FROM pg_authid"],
  ])("lets the reader not %s", async (_, sql) => {
    const reader = await postgres.connect("reader", passwordOf("reader"));
    await expect(reader.query(sql)).rejects.toMatchObject({ code: "42501" });
    await reader.end();
  });

  it("takes a new password at the next run, and the earlier one no more", async () => {
    await makeRoles({ reader: "a new password of the reader" });
    await (await postgres.connect("reader", "a new password of the reader")).end();
    await expect(postgres.connect("reader", passwordOf("reader"))).rejects.toMatchObject({ code: "28P01" });
    await makeRoles();
  });

  it("is left as it was when one statement is refused", async () => {
    const client = await superuser();
    const refused = [
      { ...ROLES[1], name: "half" },
      { ...ROLES[2], name: "no-name" },
    ].map((role) => ({ ...role, passwordFile: "" }));
    const attempt = applyRoles(client, "trustkern", refused, new Map());
    await expect(attempt).rejects.toMatchObject({ code: "SCHEMA_ROLES_FAILED" });
    expect((await client.query("SELECT 1 FROM pg_roles WHERE rolname = 'half'")).rows).toEqual([]);
    await client.end();
  });

  it("without TimescaleDB is named so, and no password stands in any log", async () => {
    const all = roles(postgres.folder, ["trustkern", "collector", "reader"]);
    const ended = await runJob(postgres.folder, postgres.port, postgres.tls, { superuser: "postgres", roles: all });
    expect(ended).toMatchObject({ exit: 4, code: "SCHEMA_ROLES_FAILED" });
    for (const { name } of ROLES) expect(postgres.log + ended.text).not.toContain(passwordOf(name));
    expect(postgres.log).toContain("timescaledb");
  });
});
