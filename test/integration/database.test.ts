import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseHarness, passwordOf } from "./database/harness.ts";

const database = new DatabaseHarness();
let owner: pg.Client;

beforeAll(async () => {
  database.configure();
  await database.start();
  owner = await database.connect("trustkern");
  await owner.query("CREATE TABLE item (id int PRIMARY KEY, label text); GRANT SELECT ON item TO trustkern_reader");
});
afterAll(() => database.close());

async function psql(user: "trustkern" | "reader", args: readonly string[], input = "", password = passwordOf(user)) {
  const at = ["-h", "127.0.0.1", "-p", String(database.port), "-U", user, "-d", "trustkern", "-X", "-A", "-t"];
  const child = spawn("psql", [...at, ...args], { env: { ...process.env, PGPASSWORD: password } });
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number, output: output.trim(), errors };
}

function run(command: string, args: readonly string[]): number | null {
  return spawnSync(command, args).status;
}

async function rowsOf(client: pg.Client, sql: string): Promise<unknown[]> {
  return (await client.query({ text: sql, rowMode: "array" })).rows.map((row) => row.join());
}

describe("clients", () => {
  it("serves psql, with COPY both ways", async () => {
    const filled = await psql(
      "trustkern",
      ["-c", "COPY item FROM STDIN", "-c", "SELECT count(*) FROM item"],
      "1\ta\n2\tb\n",
    );
    expect(filled).toMatchObject({ code: 0, output: "COPY 2\n2" });
    expect((await psql("reader", ["-c", "COPY item TO STDOUT"])).output).toBe("1\ta\n2\tb");
    expect((await psql("reader", ["-c", "\\d item"])).output).toContain("label");
  });

  it("takes TimescaleDB for what it is", async () => {
    const [row] = await rowsOf(owner, "SELECT extname FROM pg_extension WHERE extname = 'timescaledb'");
    expect(row).toBe("timescaledb");
  });

  it("keeps the transactions of many clients apart", async () => {
    await owner.query("CREATE TABLE account (id int PRIMARY KEY, sum int); INSERT INTO account VALUES (1, 0)");
    const pool = new pg.Pool({ ...database.target("trustkern"), max: 8 });
    const add = async (): Promise<void> => {
      const client = await pool.connect();
      await client.query("BEGIN");
      const { rows } = await client.query("SELECT sum FROM account WHERE id = $1", [1]);
      await client.query("UPDATE account SET sum = $1 WHERE id = 1", [rows[0].sum + 1]);
      await client.query("COMMIT");
      client.release();
    };
    await Promise.all(Array.from({ length: 100 }, add));
    await pool.end();
    expect(await rowsOf(owner, "SELECT sum FROM account")).toEqual(["100"]);
  });

  it("keeps prepared statements of the same name apart, and finds them again", async () => {
    const [left, right] = [await database.connect("reader"), await database.connect("reader")];
    const ask = async (client: pg.Client, result: string) =>
      (await client.query({ name: "same", text: `SELECT '${result}' AS it` })).rows[0].it;
    for (let round = 0; round < 3; round += 1) {
      expect(await ask(left, "left")).toBe("left");
      expect(await ask(right, "right")).toBe("right");
    }
    await left.query("DEALLOCATE ALL");
    expect(await ask(right, "right")).toBe("right");
  });

  it("gives each client its own settings, those of its startup packet included", async () => {
    const left = await database.connect("reader", { application_name: "left", options: "-c TimeZone=Asia/Tokyo" });
    const right = await database.connect("reader");
    const settings =
      "SELECT current_setting('TimeZone'), current_setting('application_name'), current_setting('search_path')";
    await right.query("SET search_path TO pg_catalog");
    expect(await rowsOf(left, settings)).toEqual(['Asia/Tokyo,left,"$user", public']);
    expect(await rowsOf(right, settings)).toEqual(["GMT,,pg_catalog"]);
    expect(await rowsOf(left, settings)).toEqual(['Asia/Tokyo,left,"$user", public']);
    await right.query("SELECT set_config('search_path', 'nowhere', false)");
    expect(await rowsOf(owner, "SELECT current_setting('search_path')")).toEqual(['"$user", public']);
  });

  it("lets nothing of a session be seen by the next client", async () => {
    const left = await database.connect("trustkern");
    await left.query("DECLARE kept CURSOR WITH HOLD FOR SELECT 1");
    await left.query("LISTEN news");
    await left.query("SELECT pg_advisory_lock(7)");
    const right = await database.connect("trustkern");
    await expect(right.query("FETCH kept")).rejects.toMatchObject({ code: "34000" });
    expect(await rowsOf(right, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).toEqual(["0"]);
    expect(await rowsOf(right, "SELECT count(*) FROM pg_listening_channels()")).toEqual(["0"]);
  });

  it("rolls back what a client that vanished left open", async () => {
    const client = await database.connect("trustkern");
    await client.query("BEGIN");
    await client.query("INSERT INTO item VALUES (100, 'lost')");
    (client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
    expect(await rowsOf(owner, "SELECT count(*) FROM item WHERE id = 100")).toEqual(["0"]);
  });

  it("throws out a client whose transaction is idle for too long, and serves the others", async () => {
    const client = await database.connect("trustkern");
    await client.query("BEGIN");
    const started = Date.now();
    expect(await rowsOf(owner, "SELECT 1")).toEqual(["1"]);
    expect(Date.now() - started).toBeGreaterThan(800);
    await expect(client.query("SELECT 1")).rejects.toThrow();
  });

  it("goes on after an error in the middle of a pipeline", async () => {
    const client = await database.connect("reader");
    await expect(client.query("SELECT $1::int / 0", [1])).rejects.toMatchObject({ code: "22012" });
    await expect(client.query("SELECT nothing FROM nowhere", [])).rejects.toMatchObject({ code: "42P01" });
    expect((await client.query("SELECT $1::int AS n", [5])).rows).toEqual([{ n: 5 }]);
  });
});

describe("COPY FROM STDIN", () => {
  const copy = async (client: pg.Client, sql: string, data: string): Promise<void> => {
    const stream = client.query(copyFrom(sql));
    stream.end(data);
    await finished(stream);
  };

  it("takes many chunks in one transaction with other statements", async () => {
    await owner.query("CREATE TABLE big (n int)");
    await owner.query("BEGIN");
    await copy(owner, "COPY big FROM STDIN", Array.from({ length: 200_000 }, (_, n) => `${n}\n`).join(""));
    await owner.query("COMMIT");
    expect(await rowsOf(owner, "SELECT count(*), sum(n) FROM big")).toEqual(["200000,19999900000"]);
    const reader = await database.connect("trustkern");
    expect((await text(reader.query(copyTo("COPY big TO STDOUT")))).length).toBe(1_288_890);
  });

  it("reports bad data, a missing table and missing rights, and stays alive", async () => {
    await expect(copy(owner, "COPY big FROM STDIN", "x\n")).rejects.toMatchObject({ code: "22P02" });
    await expect(copy(owner, "COPY none FROM STDIN", "1\n")).rejects.toMatchObject({ code: "42P01" });
    const reader = await database.connect("reader");
    await expect(copy(reader, "COPY big FROM STDIN", "1\n")).rejects.toMatchObject({ code: "42501" });
    expect(await rowsOf(owner, "SELECT count(*) FROM big")).toEqual(["200000"]);
  });

  it("refuses a copy that hides behind another statement or in the extended protocol", async () => {
    const hidden = await psql("trustkern", ["-c", "SELECT 1; COPY big FROM STDIN"], "1\n");
    expect(hidden.errors).toContain("a simple query of its own");
    await expect(owner.query("COPY big FROM STDIN", [])).rejects.toMatchObject({ code: "57014" });
    expect(await rowsOf(owner, "SELECT count(*) FROM big")).toEqual(["200000"]);
  });
});

describe("roles", () => {
  it("refuses a wrong password, an unknown user and another database", async () => {
    expect(await psql("reader", ["-c", "SELECT 1"], "", "wrong")).toMatchObject({ code: 2 });
    for (const wrong of [{ user: "nobody" }, { password: "wrong" }, { user: "postgres", password: "postgres" }])
      await expect(database.connect("reader", wrong)).rejects.toMatchObject({ code: "28P01" });
    await expect(database.connect("reader", { database: "postgres" })).rejects.toMatchObject({ code: "3D000" });
  });

  it("lets a reader neither write nor become more than a reader", async () => {
    const reader = await database.connect("reader");
    const refused = [
      "INSERT INTO item VALUES (9, 'x')",
      "CREATE TABLE mine (a int)",
      "CREATE TEMPORARY TABLE mine (a int)",
      "SET SESSION AUTHORIZATION postgres",
      "SET SESSION AUTHORIZATION trustkern",
      "SELECT set_config('session_authorization', 'postgres', false)",
      "SET ROLE trustkern",
      "SET ROLE trustkern_writer",
      "COPY item TO PROGRAM 'ls'",
      "COPY item TO '/tmp/item'",
      "SELECT pg_read_file('PG_VERSION')",
      "ALTER SYSTEM SET fsync = off",
      "CHECKPOINT",
      "SELECT lo_create(0)",
      "SELECT lo_creat(-1)",
      "SELECT lo_from_bytea(0, 'x')",
      "SELECT lo_unlink(1)",
      "SELECT add_job('_timescaledb_functions.policy_retention', '1 second')",
      "SELECT alter_job(1000, scheduled => false)",
      "SELECT delete_job(1000)",
      "CALL run_job(1000)",
    ];
    for (const sql of refused) await expect(reader.query(sql), sql).rejects.toMatchObject({ code: "42501" });
    for (const sql of ["RESET SESSION AUTHORIZATION", "RESET ROLE", "DISCARD ALL", "RESET ALL"])
      await reader.query(sql);
    await rowsOf(owner, "SELECT 1");
    expect(await rowsOf(reader, "SELECT session_user, current_user, current_setting('is_superuser')")).toEqual([
      "reader,reader,off",
    ]);
  });

  it("keeps a role that a client took to that client", async () => {
    await owner.query("SET ROLE trustkern");
    const reader = await database.connect("reader");
    expect(await rowsOf(reader, "SELECT current_user")).toEqual(["reader"]);
    expect(await rowsOf(owner, "SELECT current_user, current_setting('role')")).toEqual(["trustkern,trustkern"]);
    await owner.query("RESET ROLE");
  });
});

describe("bytes that are no protocol", () => {
  const send = async (...parts: readonly Buffer[]): Promise<Buffer> => {
    const socket = connect(database.port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined);
    for (const part of parts) socket.write(part);
    await Promise.race([once(socket, "close"), delay(500)]);
    socket.destroy();
    return Buffer.concat(chunks);
  };
  const startup = (body: string, length = body.length + 8, version = 196_608): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(length, 0);
    head.writeUInt32BE(version, 4);
    return Buffer.concat([head, Buffer.from(body)]);
  };

  it.each([
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a startup packet of 2 GB", startup("", 2_000_000_000)],
    ["a startup packet without its end", startup("user\0reader")],
    ["protocol 2.0", startup("", 8, 131_072)],
  ])("ends a connection that begins with %s", async (_, bytes) => {
    expect((await send(bytes)).toString()).toContain("C08P01");
    expect(await rowsOf(owner, "SELECT 1")).toEqual(["1"]);
  });

  it("answers a wish for encryption with N, and forgets a wish to cancel", async () => {
    expect((await send(startup("", 8, 80_877_103))).toString()).toBe("N");
    expect((await send(startup("\0\0\0\0\0\0\0\0", 16, 80_877_102))).toString()).toBe("");
  });

  it("lets a client in however many others never finish their login", async () => {
    const silent = Array.from({ length: 150 }, () => connect(database.port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(silent.map((socket) => once(socket, "connect")));
    const client = await database.connect("collector");
    expect(await rowsOf(client, "SELECT 1")).toEqual(["1"]);
    await client.end();
    // A byte of a packet from time to time does not keep a place either.
    const slow = connect(database.port, "127.0.0.1").on("error", () => undefined);
    const closed = new Promise((resolve) => slow.on("close", resolve));
    slow.write(Buffer.from([0, 0, 0x27, 0x10]));
    const drip = setInterval(() => slow.write("\0"), 500);
    await closed;
    clearInterval(drip);
    for (const socket of silent) socket.destroy();
  });

  it("takes no query before the password", async () => {
    const query = Buffer.from("Q\0\0\0\x0dSELECT 1\0");
    const answer = (await send(startup("user\0reader\0database\0trustkern\0\0"), query)).toString();
    expect(answer).toContain("C28P01");
    expect(answer).not.toContain("SELECT");
  });
});

describe("faults", () => {
  it("has every row that it confirmed after being killed in the middle of writes", async () => {
    await owner.query("CREATE TABLE survivor (n int PRIMARY KEY, filler text)");
    let confirmed = 0;
    for (let round = 0; round < 3; round += 1) {
      const client = await database.connect("trustkern");
      const writing = (async () => {
        for (;;) {
          await client.query(
            "INSERT INTO survivor SELECT n, repeat('x', 500) FROM generate_series($1::int, $1::int + 99) AS n",
            [confirmed],
          );
          confirmed += 100;
        }
      })().catch(() => undefined);
      await delay(150 + 200 * round);
      await database.stop("SIGKILL");
      await writing;
      await database.start();
      owner = await database.connect("trustkern");
      const [stored] = await rowsOf(owner, "SELECT count(*) FROM survivor");
      // A batch may have been committed without its confirmation having come through.
      expect([confirmed, confirmed + 100]).toContain(Number(stored));
      confirmed = Number(stored);
    }
    expect(confirmed).toBeGreaterThan(0);
  });

  it("refuses a second process on its data, and one on its port", async () => {
    const second = new DatabaseHarness();
    second.configure({ dataDir: join(database.folder, "data") });
    expect(await second.failedStart()).toEqual({ exit: 4, code: "DATABASE_DIR_IN_USE" });
    second.configure({ listen: { hosts: ["127.0.0.1"], port: database.port } });
    expect(await second.failedStart()).toEqual({ exit: 4, code: "PORT_IN_USE" });
    await second.close();
  });

  it("says that its data are damaged", async () => {
    const broken = new DatabaseHarness();
    broken.configure();
    mkdirSync(join(broken.folder, "data/cluster"), { recursive: true });
    writeFileSync(join(broken.folder, "data/cluster/PG_VERSION"), "17\n");
    expect(await broken.failedStart()).toEqual({ exit: 4, code: "DATABASE_DIR_CORRUPT" });
    rmSync(join(broken.folder, "data"), { recursive: true });
    writeFileSync(join(broken.folder, "data"), "");
    expect(await broken.failedStart()).toEqual({ exit: 4, code: "DATABASE_DIR_UNUSABLE" });
    await broken.close();
  });

  it.skipIf(process.getuid?.() !== 0)("says that the disk is full, and goes on once it is not", async () => {
    const small = new DatabaseHarness();
    const disk = join(small.folder, "disk");
    mkdirSync(disk);
    small.configure({ dataDir: join(disk, "data") });
    const mounted = run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]);
    expect(mounted).toBe(0);
    try {
      expect(await small.failedStart()).toEqual({ exit: 4, code: "DATABASE_DISK_FULL" });
      expect(readdirSync(join(disk, "data"))).toEqual([]);
      run("mount", ["-o", "remount,size=96m", disk]);
      await small.start();
      const client = await small.connect("trustkern");
      await client.query("CREATE TABLE wide (filler text)");
      const fill = () => client.query("INSERT INTO wide SELECT repeat('x', 1000) FROM generate_series(1, 4000)");
      const fillUp = async (): Promise<void> => {
        for (;;) await fill();
      };
      await expect(fillUp()).rejects.toMatchObject({ code: "53100" });
      expect((await small.status()).ready).toBe(true);
      run("mount", ["-o", "remount,size=256m", disk]);
      await fill();
    } finally {
      await small.stop("SIGKILL");
      run("umount", [disk]);
      await small.close();
    }
  });

  it("stops with 0 and starts again with all of it", async () => {
    const [before] = await rowsOf(owner, "SELECT count(*) FROM survivor");
    expect(await database.stop()).toBe(0);
    await database.start();
    owner = await database.connect("trustkern");
    expect(await rowsOf(owner, "SELECT count(*) FROM survivor")).toEqual([before]);
  });
});

describe("Timescale's jobs", () => {
  it("fire without a scheduler: refresh, compression, retention and the floor", async () => {
    expect(await database.migrate()).toHaveLength(4);
    expect(await database.migrate()).toEqual([]);
    const insert = (age: string, sensor: string) =>
      owner.query(`INSERT INTO telemetry (received_at, sensor_id, boot_id, seq, sent_at_ms, flags, late, gateway, key_id, payload, fw, temperature_c)
        VALUES (now() - interval '${age}', '\\x${sensor}', 1, 1, 0, 0, false, 'gw-01', '\\x00', '{}', '1.0.0', 20)`);
    for (const [age, sensor] of [
      ["5 minutes", "01"],
      ["2 hours", "02"],
      ["20 days", "03"],
      ["400 days", "04"],
    ] as const)
      await insert(age, sensor);
    await owner.query(
      "INSERT INTO sensor_boot VALUES ('\\x01', 1, now() - interval '60 days', 9), ('\\x01', 2, now() - interval '31 days', 9), ('\\x01', 3, now(), 9)",
    );
    await owner.query(
      "INSERT INTO envelope_seen SELECT '\\x01', boot, 1, '\\x00', now() FROM generate_series(1, 3) AS boot",
    );
    await owner.query(
      "SELECT alter_job(job_id, schedule_interval => INTERVAL '1 second') FROM timescaledb_information.jobs WHERE job_id >= 1000",
    );
    const before = (await database.status()).counters.jobsRun;
    while ((await database.status()).counters.jobsRun < before + 18) await delay(200);

    expect((await database.status()).counters.jobsFailed).toBe(0);
    const telemetry = "hypertable_name = 'telemetry'";
    const compressed = `SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed AND ${telemetry}`;
    expect(await rowsOf(owner, compressed)).toEqual(["1"]);
    expect(await rowsOf(owner, "SELECT count(*) FROM telemetry")).toEqual(["3"]);
    const view =
      "SELECT materialization_hypertable_schema || '.' || materialization_hypertable_name FROM timescaledb_information.continuous_aggregates ORDER BY view_name DESC";
    const [minutes, hours] = await rowsOf(owner, view);
    expect(await rowsOf(owner, `SELECT count(*) FROM ${minutes}`)).toEqual(["2"]);
    expect(await rowsOf(owner, `SELECT count(*) FROM ${hours}`)).toEqual(["1"]);
    expect(await rowsOf(owner, "SELECT boot_id FROM envelope_seen ORDER BY 1")).toEqual(["2", "3"]);
    expect(await rowsOf(owner, "SELECT boot_id FROM sensor_boot ORDER BY 1")).toEqual(["2", "3"]);
  });
});
