import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { Up } from "../../stacks/embedded/up.ts";
import { scratch, upOptions, upProven } from "../support/deployment.ts";
import { drained } from "../support/drained.ts";
import { compareLedger } from "../support/ledger.ts";

const SERVICES = ["backend", "broker", "database", "custody", "custody-broker", "collector", "gw-01"] as const;
const KILLS = 4 * SERVICES.length;
/** So few acknowledged messages would show nothing: the kills go on, round after round, until there are more. */
const FEW = 200;
const { dir, remove } = scratch("kill");
let run: Up;

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

/** Every service is killed four times a round; the order and the pauses are drawn anew in every run, and named on failure. */
const plan = fc.sample(
  fc.tuple(
    fc.shuffledSubarray([...SERVICES, ...SERVICES, ...SERVICES, ...SERVICES], { minLength: KILLS, maxLength: KILLS }),
    fc.array(fc.integer({ min: 20, max: 900 }), { minLength: KILLS, maxLength: KILLS }),
  ),
  1,
)[0] ?? [[], []];

it("stores every acknowledged message exactly once and quarantines none of them, whatever process is killed", async () => {
  const [names, pauses] = plan;
  const { deployed, sensors } = run;
  await deployed.control("simulator", "POST", "/run", { rate: 40, total: null });
  do {
    for (const [index, name] of names.entries()) {
      await kill(name);
      if (index === 8) await deployed.control("simulator", "POST", `/sensors/${sensors[0]?.sensor_id}/reboot`);
      if (index === 14) await custodyOutage();
      await sleep(pauses[index] ?? 100);
    }
  } while ((await acknowledgedSoFar()) <= FEW);
  await deployed.control("simulator", "POST", "/stop");
  await drained(run);
  const { acknowledged, wrong, quarantined } = await compareLedger(run);
  const context = `kills ${names.join(" ")}, pauses ${pauses.join(" ")}`;
  expect(acknowledged.length, context).toBeGreaterThan(FEW);
  const boots = new Set(acknowledged.map(({ sensor_id, boot_id }) => `${sensor_id}/${boot_id}`));
  expect(boots.size, context).toBeGreaterThan(sensors.length);
  expect(wrong, context).toEqual([]);
  expect(quarantined, context).toEqual([]);
  for (const name of SERVICES) expect(deployed.supervisor.restarts(name), name).toBeGreaterThanOrEqual(3);
}, 300_000);

async function acknowledgedSoFar(): Promise<number> {
  const { counters } = (await run.deployed.control("simulator", "GET", "/status")) as {
    counters: { acknowledged: number };
  };
  return counters.acknowledged;
}

/** Custody is away for three seconds: killed as soon as it comes back. */
async function custodyOutage(): Promise<void> {
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(100)) {
    const pid = run.deployed.supervisor.pid("custody");
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
}
