import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStore } from "../../services/collector/store.ts";
import { type PostgresTls, postgresTls } from "../../shared/postgres-tls.ts";
import { DatabaseHarness, passwordOf } from "./database/harness.ts";
import { makeDatabaseTls, SERVER_NAME } from "./database/tls.ts";

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CANCEL_REQUEST = Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 0]);

const database = new DatabaseHarness();
const open = new DatabaseHarness();
let right: PostgresTls;
let foreign: PostgresTls;

beforeAll(async () => {
  const made = await makeDatabaseTls(database.folder);
  ({ right, foreign } = made);
  database.configure({ tls: { certFile: made.files.cert, keyFile: made.files.key } });
  open.configure();
  await Promise.all([database.start(), open.start()]);
  await open.migrate();
});
afterAll(() => Promise.all([database.close(), open.close()]));

const query = async (client: pg.Client) => (await client.query("SELECT 1 AS one")).rows;

describe("a server with TLS", () => {
  it("lets in who verifies it fully, and says nothing else", async () => {
    const client = await database.connect("reader", { ssl: postgresTls(right) });
    expect(await query(client)).toEqual([{ one: 1 }]);
    const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
    expect(stream.getProtocol()).toBe("TLSv1.3");
    await client.end();
  });

  it("moves a megabyte in both directions", async () => {
    const client = await database.connect("reader", { ssl: postgresTls(right) });
    const text = "x".repeat(1_048_576);
    expect((await client.query("SELECT $1::text AS same", [text])).rows).toEqual([{ same: text }]);
    await client.end();
  });

  it("asks for no password without TLS, and says why", async () => {
    await expect(database.connect("reader", { ssl: false })).rejects.toMatchObject({ code: "28000" });
    const said: Buffer[] = [];
    const socket = connect(database.port, "127.0.0.1", () => socket.write(startup("reader")));
    socket.on("data", (chunk: Buffer) => said.push(chunk));
    await once(socket, "close");
    expect(Buffer.concat(said).toString()).toMatch(/^E.*28000/s);
  });

  it("refuses TLS 1.2", async () => {
    const ssl = { ...postgresTls(right), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    await expect(database.connect("reader", { ssl })).rejects.toThrow();
  });

  it.each([
    ["of another authority", () => foreign],
    ["that carries another name", () => ({ ...right, servername: "broker.acme.trustkern.internal" })],
  ])("is refused by a client for a certificate %s", async (_, tls) => {
    await expect(database.connect("reader", { ssl: postgresTls(tls()) })).rejects.toThrow();
  });

  it("refuses a wrong password as it does without TLS", async () => {
    const client = new pg.Client({ ...database.target("reader"), password: "wrong", ssl: postgresTls(right) });
    await expect(client.connect()).rejects.toMatchObject({ code: "28P01" });
  });

  it("takes nothing that follows the request for TLS unencrypted", async () => {
    const said: Buffer[] = [];
    const socket = connect(database.port, "127.0.0.1", () =>
      socket.write(Buffer.concat([SSL_REQUEST, startup("reader")])),
    );
    socket.on("data", (chunk: Buffer) => said.push(chunk));
    await once(socket, "close");
    expect(Buffer.concat(said).toString()).toMatch(/^E.*08P01/s);
  });

  it("offers no TLS within TLS", async () => {
    const socket = await secured();
    socket.write(SSL_REQUEST);
    expect(String((await once(socket, "data"))[0])).toBe("N");
    socket.destroy();
  });

  it("takes a request to cancel within TLS, and ends the connection", async () => {
    const socket = await secured();
    socket.resume().write(CANCEL_REQUEST);
    await once(socket, "close");
  });

  it("lives through handshakes that break off or are none", async () => {
    for (const bytes of [Buffer.alloc(64, 0xff), Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(0)]) {
      const socket = await asked();
      if (bytes.length > 0) socket.write(bytes);
      socket.end();
      socket.resume();
      await once(socket, "close");
    }
    const client = await database.connect("reader", { ssl: postgresTls(right) });
    expect(await query(client)).toEqual([{ one: 1 }]);
    await client.end();
  });

  it("lets psql in with sslmode verify-full, and in no weaker way", () => {
    const psql = (mode: string, ca = "ca.crt", more = "") =>
      spawnSync(
        "psql",
        [
          `host=${SERVER_NAME} hostaddr=127.0.0.1 port=${database.port} dbname=trustkern user=reader ` +
            `sslmode=${mode} sslrootcert=${join(database.folder, ca)} ${more}`,
          ...["-Atc", "SELECT 1"],
        ],
        { env: { ...process.env, PGPASSWORD: passwordOf("reader") }, encoding: "utf8", timeout: 10_000 },
      );
    expect(psql("verify-full")).toMatchObject({ status: 0, stdout: "1\n" });
    expect(psql("disable").stderr).toContain("no login without TLS");
    expect(psql("verify-full", "foreign.crt").status).not.toBe(0);
    expect(psql("verify-full", "ca.crt", "ssl_max_protocol_version=TLSv1.2").status).not.toBe(0);
  });
});

describe("the collector's store", () => {
  const store = (harness: DatabaseHarness, tls: PostgresTls | undefined) =>
    createStore({ ...harness.target("collector"), quarantineMaxBytes: 1, tls });

  it("reaches a database that it can verify", async () => {
    const reaching = store(database, right);
    // There are no tables in this one: the database's own answer, and not the connection's.
    await expect(reaching.totals()).rejects.toThrow(/relation .* does not exist/);
    await reaching.close();
  });

  it.each([
    ["without TLS", () => store(open, right)],
    ["of another authority", () => store(database, foreign)],
    ["by another name", () => store(database, { ...right, servername: "loki.acme.trustkern.internal" })],
    ["that wants TLS, without it", () => store(database, undefined)],
  ])("reaches no database %s", async (_, make) => {
    const refused = make();
    await expect(refused.totals()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(refused.ready()).toBe(false);
    await refused.close();
  });
});

it("a server without TLS says so", async () => {
  await expect(open.connect("reader", { ssl: postgresTls(right) })).rejects.toThrow(/does not support SSL/);
});

/** A startup packet of protocol 3.0. */
function startup(user: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0trustkern\0\0`);
  const head = Buffer.from([0, 0, 0, body.length + 8, 0, 3, 0, 0]);
  return Buffer.concat([head, body]);
}

/** A connection whose request for TLS has been granted. */
async function asked(): Promise<Socket> {
  const socket = connect(database.port, "127.0.0.1", () => socket.write(SSL_REQUEST));
  socket.on("error", () => undefined);
  expect(String((await once(socket, "data"))[0])).toBe("S");
  return socket;
}

async function secured(): Promise<TLSSocket> {
  const socket = connectTls({ socket: await asked(), ...postgresTls(right) });
  await once(socket, "secureConnect");
  return socket;
}
