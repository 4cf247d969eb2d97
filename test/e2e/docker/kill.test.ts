import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { scratch } from "../../support/deployment.ts";
import { openDatabase, pidOf, singleHost, succeed } from "../../support/docker.ts";
import { compareLedger } from "../../support/ledger.ts";

const RATE = 200;
/** How long the flow is looked at before the first kill. */
const FLOW_SECONDS = 5;
/** Each of them is killed at least once, and those that carry messages twice. */
const CARRIERS = ["backend", "broker", "database", "custody", "custody-broker", "collector", "gw-01"] as const;
const OTHERS = ["shipper", "loki", "prometheus", "gateways-ca", "operators-ca", "simulator"] as const;

const { dir, remove } = scratch("docker-kill");
const example = singleHost(dir);
// A sensor waits for one answer before it sends again: enough of them keep the rate up while something is away.
writeFileSync(example.file, readFileSync(example.file, "utf8").replace("sensors: 3", "sensors: 16"));
let database: Awaited<ReturnType<typeof openDatabase>>;

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
}, 400_000);
afterAll(async () => {
  await database?.close();
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

async function kill(name: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    const pid = await pidOf(name);
    if (pid > 0) {
      process.kill(pid, "SIGKILL");
      return;
    }
    await sleep(100);
  }
  throw new Error(`${name} did not come back in 30 s`);
}

async function acknowledgedSoFar(): Promise<number> {
  const { counters } = (await example.control("simulator", "GET", "/status")) as { counters: { acknowledged: number } };
  return counters.acknowledged;
}

/** Most messages that were acknowledged in {@link FLOW_SECONDS}, looked at until it is enough, for a minute at most. */
async function bestFlow(): Promise<number> {
  let best = 0;
  for (let looks = 0; looks < 60 / FLOW_SECONDS && best <= 0.75 * RATE * FLOW_SECONDS; looks += 1) {
    const before = await acknowledgedSoFar();
    await sleep(FLOW_SECONDS * 1_000);
    best = Math.max(best, (await acknowledgedSoFar()) - before);
  }
  return best;
}

/** How many messages more are to be acknowledged once the last container was killed. */
const MORE = 2 * RATE * FLOW_SECONDS;

const plan = fc.sample(
  fc.tuple(
    fc.shuffledSubarray([...CARRIERS, ...CARRIERS, ...OTHERS], { minLength: 17, maxLength: 17 }),
    fc.array(fc.integer({ min: 100, max: 2_500 }), { minLength: 17, maxLength: 17 }),
  ),
  1,
)[0] ?? [[], []];

it(`stores every acknowledged message exactly once at ${RATE} messages per second, whatever container is killed`, async () => {
  const [names, pauses] = plan;
  const context = `kills ${names.join(" ")}, pauses ${pauses.join(" ")}`;
  await example.control("simulator", "POST", "/run", { rate: RATE, total: null });
  expect(await bestFlow(), "messages flow").toBeGreaterThan(0.75 * RATE * FLOW_SECONDS);
  for (const [index, name] of names.entries()) {
    await kill(name);
    await sleep(pauses[index] ?? 500);
  }
  await settled(["simulator"]);
  const before = await acknowledgedSoFar();
  await expect.poll(acknowledgedSoFar, { timeout: 120_000, interval: 500 }).toBeGreaterThan(before + MORE);
  await example.control("simulator", "POST", "/stop");
  await settled(names);
  database = await openDatabase(example);
  const { acknowledged, wrong, quarantined } = await compareLedger({
    deployed: { control: example.control },
    database,
  });
  expect(acknowledged.length, context).toBeGreaterThan(MORE);
  expect(wrong, context).toEqual([]);
  expect(quarantined, context).toEqual([]);
  const status = JSON.parse((await example.cli(["status", "--json"])).stdout) as Status;
  for (const name of new Set(names)) {
    const restarts = status.components.find((one) => one.name === name)?.restarts ?? 0;
    expect(restarts, name).toBeGreaterThanOrEqual(1);
  }
}, 400_000);

interface Status {
  readonly components: readonly { readonly name: string; readonly condition: string; readonly restarts: number }[];
}

/** Waits until the components are healthy and the gateway waits for no receipt. */
async function settled(names: readonly string[]): Promise<void> {
  for (const end = Date.now() + 180_000; Date.now() < end; await sleep(500)) {
    const { components } = JSON.parse((await example.cli(["status", "--json"])).stdout) as Status;
    const ill = components.filter(({ name, condition }) => names.includes(name) && condition !== "healthy");
    if (ill.length > 0) continue;
    if (!names.includes("gw-01")) return;
    const { counters } = (await example.control("gw-01", "GET", "/status")) as { counters: { spooled: number } };
    if (counters.spooled === 0) return;
  }
  throw new Error(`${names.join(", ")} did not settle in 180 s`);
}
