import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { Up } from "../../stacks/embedded/up.ts";
import { scratch, upOptions, upProven } from "../support/deployment.ts";

const SERVICES = ["backend", "broker", "database", "custody", "collector", "gw-01"] as const;
const KILLS = 24;
const { dir, remove } = scratch("kill");
let run: Up;

interface Acknowledged {
  readonly sensor_id: string;
  readonly boot_id: number;
  readonly seq: number;
  readonly digest: string;
  readonly plaintext: string;
}

beforeAll(async () => {
  const deployment = defaultDeployment();
  run = await upProven(upOptions(dir, { deployment: { ...deployment, simulator: { sensors: 8, ratePerSecond: 40 } } }));
});
afterAll(async () => {
  await run.stop();
  remove();
});

async function kill(name: string): Promise<void> {
  const { supervisor } = run.deployed;
  for (let waited = 0; waited < 20_000; waited += 20) {
    const pid = supervisor.pid(name);
    if (pid !== undefined) {
      process.kill(pid, "SIGKILL");
      return;
    }
    await sleep(20);
  }
  throw new Error(`${name} did not come back in 20 s`);
}

async function ledger(): Promise<readonly Acknowledged[]> {
  return (await run.deployed.control("simulator", "GET", "/ledger?after=0")) as readonly Acknowledged[];
}

/** Every service is killed at least three times; the order and the pauses are drawn anew in every run, and named on failure. */
const plan = fc.sample(
  fc.tuple(
    fc.shuffledSubarray([...SERVICES, ...SERVICES, ...SERVICES, ...SERVICES], { minLength: KILLS, maxLength: KILLS }),
    fc.array(fc.integer({ min: 20, max: 900 }), { minLength: KILLS, maxLength: KILLS }),
  ),
  1,
)[0] ?? [[], []];

it("stores every acknowledged message exactly once and quarantines none of them, whatever process is killed", async () => {
  const [names, pauses] = plan;
  const { deployed, database, sensors } = run;
  await deployed.control("simulator", "POST", "/run", { rate: 40, total: null });
  for (const [index, name] of names.entries()) {
    await kill(name);
    if (index === 8) await deployed.control("simulator", "POST", `/sensors/${sensors[0]?.sensor_id}/reboot`);
    if (index === 14) await custodyOutage();
    await sleep(pauses[index] ?? 100);
  }
  await deployed.control("simulator", "POST", "/stop");
  await drained();
  const acknowledged = await ledger();
  const context = `kills ${names.join(" ")}, pauses ${pauses.join(" ")}`;
  expect(acknowledged.length, context).toBeGreaterThan(200);
  expect(
    new Set(acknowledged.map(({ sensor_id, boot_id }) => `${sensor_id}/${boot_id}`)).size,
    context,
  ).toBeGreaterThan(8);

  const rows = await database.query<{ id: string; times: string; digest: string; payload: unknown }>(
    `SELECT encode(t.sensor_id, 'hex') || '/' || t.boot_id || '/' || t.seq AS id, count(*) AS times,
              min(encode(s.digest, 'hex')) AS digest, min(t.payload::text)::jsonb AS payload
         FROM telemetry t JOIN envelope_seen s USING (sensor_id, boot_id, seq) GROUP BY 1`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { sensor_id, boot_id, seq, digest, plaintext } of acknowledged) {
    const row = byId.get(`${sensor_id}/${boot_id}/${seq}`);
    expect(row?.times, `${sensor_id}/${boot_id}/${seq}; ${context}`).toBe("1");
    expect(row?.digest).toBe(digest);
    expect(row?.payload).toEqual(JSON.parse(plaintext));
  }
  const quarantined = await database.query<{ digest: string }>(
    "SELECT encode(sha256(bytes), 'hex') AS digest FROM quarantine WHERE gateway <> 'gw-rogue'",
  );
  const ours = new Set(acknowledged.map(({ digest }) => digest));
  expect(
    quarantined.filter(({ digest }) => ours.has(digest)),
    context,
  ).toEqual([]);
  for (const name of SERVICES) expect(deployed.supervisor.restarts(name), name).toBeGreaterThanOrEqual(3);
}, 300_000);

/** Custody is away for three seconds: killed as soon as it comes back. */
async function custodyOutage(): Promise<void> {
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(100)) {
    const pid = run.deployed.supervisor.pid("custody");
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
}

async function drained(): Promise<void> {
  for (const { name } of run.deployed.model.components) await run.deployed.waitReady(name);
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250)) {
    const { counters } = (await run.deployed.control("gw-01", "GET", "/status")) as { counters: { spooled: number } };
    if (counters.spooled === 0) return;
  }
  throw new Error("the gateway still waits for receipts after 120 s");
}
