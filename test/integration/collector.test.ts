import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { DATABASE } from "../../modules/timescaledb/component.ts";
import { envelopeDigest } from "../../protocol/envelope.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { parseVectors } from "../../protocol/vectors-file.ts";
import { makeEnvelope, makeSensors } from "../../scripts/bench/envelopes.ts";
import { type Database, openDatabase } from "../../stacks/embedded/database.ts";
import { deployEmbedded, type EmbeddedDeployment } from "../../stacks/embedded/deploy.ts";
import { custodyManagement, listGenerations, MANAGE_MS } from "../../stacks/host/custody-management.ts";
import { PROJECT, scratch, upOptions } from "../support/deployment.ts";
import { connectGateway, type TestGateway } from "./collector/gateway.ts";

const FILE = join(PROJECT, "test/fixtures/envelope-v1.json");
const fixture = readFileSync(FILE, "utf8");
const vectors = parseVectors(fixture);
const { dir, remove } = scratch("collector");
const [sensor, late] = makeSensors(2);
if (!sensor || !late) throw new Error("no sensors");

let deployed: EmbeddedDeployment;
let database: Database;
let gateway: TestGateway;
let recipient: Uint8Array;
let seq = 0;

const waiting = { timeout: 20_000, interval: 50 };
/** Long enough for a verdict, were one given. */
const AWHILE_MS = 1500;
const nextEnvelope = (from = sensor) => makeEnvelope(from, ++seq, recipient);
const register = ({ id, publicKey } = sensor) =>
  deployed.operator("POST", "/v1/devices", {
    sensor_id: id.toString("hex"),
    public_key: publicKey,
    maker: "m",
    model: "t",
  });
const verdictsOf = (bytes: Uint8Array) => expect.poll(() => gateway.verdicts(bytes), waiting);
const pidOf = (name: string): number => deployed.supervisor.pid(name) ?? Number.NaN;
const countOf = async (table: "envelope_seen" | "quarantine", bytes: Uint8Array): Promise<number> => {
  const digest = Buffer.from(envelopeDigest(bytes)).toString("hex");
  const rows = await database.query<{ n: string }>(
    `SELECT count(*) AS n FROM ${table} WHERE digest = '\\x${digest}'::bytea`,
  );
  return Number(rows[0]?.n);
};

/** The collector's status, once it is as wanted. */
async function status(wanted: (status: Record<string, unknown>) => boolean): Promise<void> {
  const ask = async () => wanted((await deployed.control("collector", "GET", "/status")) as Record<string, unknown>);
  await expect.poll(ask, waiting).toBe(true);
}

async function manage(order: "seal" | "unseal"): Promise<void> {
  const management = custodyManagement(deployed.placement.socket("custody", MANAGE_SOCKET));
  await management.call(order, { actor: "op-test", reason: "a test" }, MANAGE_MS).finally(management.close);
}

beforeAll(async () => {
  const options = upOptions(dir, { fixture: { file: FILE, text: readFileSync(FILE, "utf8") } });
  deployed = await deployEmbedded({ ...options, fixture });
  database = openDatabase(deployed.placement);
  gateway = await connectGateway(deployed, "gw-test");
  const generations = await listGenerations(deployed.placement.socket("custody", MANAGE_SOCKET));
  recipient = generations.find(({ state }) => state === "active")?.publicKey ?? new Uint8Array();
  await register();
  for (const device of vectors.allowlist)
    await deployed.operator("POST", "/v1/devices", { ...device, maker: "m", model: "t" });
});
afterAll(async () => {
  await gateway?.close();
  await database?.close();
  await deployed?.stop();
  remove();
});

/** Stops a process in its tracks while `meanwhile` runs. */
async function paused(name: string, meanwhile: () => Promise<void>): Promise<void> {
  const pid = pidOf(name);
  process.kill(pid, "SIGSTOP");
  try {
    await meanwhile();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

describe("the collector", () => {
  it("gives every single vector its verdict, with one receipt and one place each", async () => {
    for (const { envelope } of vectors.single) await gateway.publish(bytesOfHex(envelope));
    for (const { name, envelope, verdict } of vectors.single) {
      const bytes = bytesOfHex(envelope);
      await expect.poll(() => gateway.verdicts(bytes), { ...waiting, message: name }).toEqual([verdict]);
      const places = [await countOf("envelope_seen", bytes), await countOf("quarantine", bytes)];
      expect(places, name).toEqual(verdict === "accepted" ? [1, 0] : [0, 1]);
    }
  });

  it("writes a security event for a rejection, with the digest of the envelope", async () => {
    const forged = await nextEnvelope();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    await gateway.publish(forged);
    await verdictsOf(forged).toEqual(["bad-signature"]);
    const digest = Buffer.from(envelopeDigest(forged)).toString("hex");
    const events = () =>
      database.query(`SELECT kind, actor, reason, count FROM security_event WHERE correlation_id = '${digest}'`);
    await expect
      .poll(events, waiting)
      .toMatchObject([{ kind: "INGEST_REJECTED", actor: "gw-test", reason: "bad-signature" }]);
  });

  it("answers a repeat with duplicate, and stores nothing twice", async () => {
    const bytes = await nextEnvelope();
    await gateway.publish(bytes);
    await verdictsOf(bytes).toEqual(["accepted"]);
    await gateway.publish(bytes);
    await verdictsOf(bytes).toEqual(["accepted", "duplicate"]);
    expect([await countOf("envelope_seen", bytes), await countOf("quarantine", bytes)]).toEqual([1, 0]);
  });

  it("says nothing about an envelope while custody is sealed, and accepts it afterwards", async () => {
    await manage("seal");
    const bytes = await nextEnvelope();
    await gateway.publish(bytes);
    await delay(AWHILE_MS);
    expect(gateway.verdicts(bytes)).toEqual([]);
    await status(({ ready, reason }) => ready === false && String(reason).includes("custody sealed"));
    await manage("unseal");
    await verdictsOf(bytes).toEqual(["accepted"]);
    expect(await countOf("quarantine", bytes)).toBe(0);
  });

  it("accepts what custody was asked about when it was killed", async () => {
    process.kill(pidOf("custody"), "SIGKILL");
    const bytes = await nextEnvelope();
    await gateway.publish(bytes);
    await verdictsOf(bytes).toEqual(["accepted"]);
  });

  it("says nothing about an envelope while the schema job has not made its tables, and accepts it afterwards", async () => {
    const { host, port } = deployed.placement.endpoint("database", "postgres");
    const password = readFileSync(deployed.placement.secretFile("database", "owner.password"), "utf8");
    const owner = new pg.Client({ host, port, database: DATABASE.database, user: DATABASE.owner, password });
    await owner.connect();
    await owner.query("ALTER TABLE envelope_seen RENAME TO not_yet");
    const bytes = await nextEnvelope();
    await gateway.publish(bytes);
    await status(({ ready, reason }) => ready === false && String(reason).includes("database away"));
    expect(gateway.verdicts(bytes)).toEqual([]);
    await owner.query("ALTER TABLE not_yet RENAME TO envelope_seen");
    await owner.end();
    await verdictsOf(bytes).toEqual(["accepted"]);
    expect(await countOf("quarantine", bytes)).toBe(0);
    await status(({ ready }) => ready === true);
  });

  it("sends no receipt while the database does not answer, and every receipt afterwards", async () => {
    const [good, bad] = [await nextEnvelope(), Buffer.from("garbage while the database is away")];
    await paused("database", async () => {
      await gateway.publish(good);
      await gateway.publish(bad);
      await delay(AWHILE_MS);
      expect([gateway.verdicts(good), gateway.verdicts(bad)]).toEqual([[], []]);
    });
    await verdictsOf(good).toEqual(["accepted"]);
    await verdictsOf(bad).toEqual(["malformed"]);
  });

  it("does not judge an unknown sensor while the backend is away, and goes on with those it knows", async () => {
    const [unknown, known] = [await nextEnvelope(late), await nextEnvelope()];
    await paused("backend", async () => {
      await gateway.publish(unknown);
      await gateway.publish(known);
      await verdictsOf(known).toEqual(["accepted"]);
      await delay(AWHILE_MS);
      expect(gateway.verdicts(unknown)).toEqual([]);
    });
    await verdictsOf(unknown).toEqual(["unknown-sensor"]);
  });

  it("accepts the first message of a sensor that was allowed a moment ago", async () => {
    const bytes = await nextEnvelope(late);
    await register(late);
    await gateway.publish(bytes);
    await verdictsOf(bytes).toEqual(["accepted"]);
    const rows = () =>
      database.query(`SELECT state FROM device WHERE sensor_id = '\\x${late.id.toString("hex")}'::bytea`);
    await expect.poll(rows, waiting).toEqual([{ state: "reporting" }]);
  });

  it("rejects a sensor soon after it was revoked", async () => {
    await deployed.operator("POST", `/v1/devices/${late.id.toString("hex")}/revoke`);
    await delay(4000);
    const bytes = await nextEnvelope(late);
    await gateway.publish(bytes);
    await verdictsOf(bytes).toEqual(["revoked-sensor"]);
  });

  it("comes back after kill -9 with its allowlist copy, the backend being away", async () => {
    await paused("backend", async () => {
      const pid = pidOf("collector");
      process.kill(pid, "SIGKILL");
      await expect.poll(() => pidOf("collector"), waiting).not.toBe(pid);
      await status(({ ready }) => ready === true);
      const bytes = await nextEnvelope();
      await gateway.publish(bytes);
      await verdictsOf(bytes).toEqual(["accepted"]);
    });
  });

  it("outlives garbage of every size on its topics", async () => {
    const sizes = [0, 1, 4096, 4097, 16_000];
    for (const size of sizes) await gateway.publish(Buffer.alloc(size, 0xa9));
    for (const size of sizes) await verdictsOf(Buffer.alloc(size, 0xa9)).toContain("malformed");
    await status(({ ready }) => ready === true);
  });
});
