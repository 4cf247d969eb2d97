import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Placement } from "../../model/placement.ts";
import { DATABASE, database } from "../../modules/timescaledb/component.ts";
import { migrate } from "../../modules/timescaledb/migrate.ts";
import { applyRetention } from "../../modules/timescaledb/retention.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { callControl } from "../../shared/control-client.ts";

const PASSWORD = "owner-password-of-this-test";
const dir = mkdtempSync(join(tmpdir(), "tk-ret-"));
let port: number;
let service: ChildProcess;

beforeAll(async () => {
  port = await freePort();
  const placement: Placement = {
    endpoint: () => ({ host: "127.0.0.1", port, servername: "database" }),
    secretFile: (_, secret) => join(dir, secret),
    volumeDir: (_, volume) => join(dir, volume),
    configFile: (_, file) => join(dir, file),
    socket: (_, socket) => join(dir, socket),
    listenAddresses: () => ["127.0.0.1"],
  };
  const component = database(defaultDeployment(), placement);
  for (const { path } of component.volumes) mkdirSync(path, { mode: 0o700 });
  for (const { file } of component.secrets) writeFileSync(file, PASSWORD, { mode: 0o600 });
  for (const { path, content, mode } of component.files) writeFileSync(path, content, { mode });
  service = spawn(process.execPath, ["services/database/main.ts", "--config", join(dir, "config.json")], {
    stdio: "ignore",
  });
  await ready(join(dir, "control"));
  await migrate(owner());
}, 120_000);

afterAll(async () => {
  service.kill();
  await once(service, "exit");
  rmSync(dir, { recursive: true });
});

it("keeps rows and envelopes as long as the deployment says, and leaves a policy alone that says so already", async () => {
  const retention = { telemetrySeconds: 86_400, rawSeconds: 7_200, quarantineMaxBytes: 1 };
  await applyRetention(owner(), retention);
  const first = await policies();
  expect(first).toMatchObject({ telemetry: 86_400, envelope_raw: 7_200 });
  expect(first.security_event).toBe(400 * 86_400);
  await applyRetention(owner(), retention);
  expect(await policies()).toEqual(first);
  expect(await lookBack(), "a refresh of what is dropped would empty the aggregate").toEqual([43_200, 43_200]);
  await applyRetention(owner(), { ...retention, telemetrySeconds: 365 * 86_400 });
  expect(await lookBack()).toEqual([7 * 86_400, 7 * 86_400]);
  await applyRetention(owner(), { ...retention, telemetrySeconds: 172_800 });
  expect(await policies()).toMatchObject({ telemetry: 172_800, envelope_raw: 7_200 });
});

it("is RETENTION_FAILED for whoever is not the owner, and shows no password", async () => {
  const wrong = { ...owner(), password: "not-the-password" };
  const retention = { telemetrySeconds: 1, rawSeconds: 1, quarantineMaxBytes: 1 };
  await expect(applyRetention(wrong, retention)).rejects.toMatchObject({ code: "RETENTION_FAILED", exit: 4 });
  await expect(applyRetention(wrong, retention)).rejects.not.toThrow(/not-the-password/);
});

function owner() {
  return { host: "127.0.0.1", port, database: DATABASE.database, user: DATABASE.owner, password: PASSWORD };
}

async function policies(): Promise<Record<string, number>> {
  const client = new pg.Client(owner());
  await client.connect();
  const { rows } = await client.query(
    `SELECT hypertable_name AS name, extract(epoch FROM (config->>'drop_after')::interval)::float8 AS seconds
     FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'`,
  );
  await client.end();
  return Object.fromEntries(rows.map(({ name, seconds }) => [name, seconds]));
}

async function ready(socket: string): Promise<void> {
  for (;;) {
    const status = await callControl(socket, "GET", "/status").catch(() => ({ ready: false }));
    if ((status as { ready: boolean }).ready) return;
    await sleep(200);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return free;
}

/** Seconds that each refresh of an aggregate looks back. */
async function lookBack(): Promise<readonly number[]> {
  const client = new pg.Client({ ...owner() });
  await client.connect();
  const { rows } = await client.query(
    `SELECT extract(epoch FROM (config->>'start_offset')::interval)::int AS seconds FROM timescaledb_information.jobs
      WHERE proc_name = 'policy_refresh_continuous_aggregate'`,
  );
  await client.end();
  return rows.map(({ seconds }) => seconds);
}
