import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { Control } from "../../stacks/host/recipients.ts";
import { scratch, upOptions, upProven } from "./deployment.ts";
import { CLI, openDatabase, singleHost, succeed } from "./docker.ts";
import { drained, spoolIsEmpty } from "./drained.ts";
import { compareLedger, type LedgerResult } from "./ledger.ts";
import { type Ended, runProgram } from "./run.ts";

/** Enough sensors to keep the rate up while one of them waits for an answer. */
const SENSORS = 16;

/** A deployment whose certificates are rotated while messages flow through it. */
export interface Rotating {
  /** Its state directory. */
  readonly dir: string;
  readonly control: Control;
  /** Runs the command line on it. */
  readonly cli: (args: readonly string[]) => Promise<Ended>;
  /** Has the sensors stop, waits for the last receipt, and compares what they were told with what is stored. */
  readonly delivered: () => Promise<Delivered>;
  readonly stop: () => Promise<void>;
}

/** What the sensors' messages came to. */
export interface Delivered extends LedgerResult {
  /** Messages that a gateway refused for good: answered with 4.00. */
  readonly refused: number;
}

/** A deployment of that engine, with its sensors at work. @param rate messages per second that are asked for */
export async function rotating(engine: "embedded" | "docker", rate: number): Promise<Rotating> {
  const run = engine === "embedded" ? await inProcesses(rate) : await inContainers(rate);
  await run.control("simulator", "POST", "/run", { rate, total: null });
  return run;
}

/**
 * Rotates with `trustkern certs rotate`.
 * @returns seconds that it took
 * @throws Error with what the command said, when it does not end with exit code 0
 */
export async function rotate(run: Rotating, what: string): Promise<number> {
  const started = performance.now();
  const { code, stdout, stderr } = await run.cli(["certs", "rotate", "--what", what, "--yes", "--limit", "180"]);
  if (code !== 0) throw new Error(`the rotation of ${what} ended with ${code}: ${stderr}${stdout}`);
  return (performance.now() - started) / 1000;
}

async function inProcesses(ratePerSecond: number): Promise<Rotating> {
  const { dir, remove } = scratch("rotating");
  const deployment = { ...defaultDeployment(), simulator: { sensors: SENSORS, ratePerSecond } };
  const run = await upProven(upOptions(dir, { deployment }));
  const { control } = run.deployed;
  const before = await refusals(control);
  return {
    dir,
    control,
    cli: (args) =>
      runProgram(process.execPath, [...CLI, "--dir", dir, "--progress", "plain", ...args], { timeoutSeconds: 400 }),
    delivered: async () => {
      await followed(control);
      await control("simulator", "POST", "/stop");
      await drained(run);
      return { ...(await compareLedger(run)), refused: (await refusals(control)) - before };
    },
    stop: async () => {
      await run.stop();
      remove();
    },
  };
}

async function inContainers(ratePerSecond: number): Promise<Rotating> {
  const { dir, remove } = scratch("docker-rotating");
  const example = singleHost(dir);
  const text = readFileSync(example.file, "utf8");
  const busy = text.replace("sensors: 3", `sensors: ${SENSORS}`).replace("PerSecond: 5", `PerSecond: ${ratePerSecond}`);
  writeFileSync(example.file, busy);
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
  const { control, cli } = example;
  const before = await refusals(control);
  return {
    dir: example.dir,
    control,
    cli,
    delivered: async () => {
      await followed(control);
      await control("simulator", "POST", "/stop");
      await spoolIsEmpty(control);
      const database = await openDatabase(example);
      try {
        const ledger = await compareLedger({ deployed: { control }, database });
        return { ...ledger, refused: (await refusals(control)) - before };
      } finally {
        await database.close();
      }
    },
    stop: async () => {
      await cli(["destroy", "--volumes", "--yes"]);
      remove();
    },
  };
}

/** Who asks the backend by itself still does: after a rotation, with what it rotated to. */
async function followed(control: Control): Promise<void> {
  const now = Date.now();
  for (const end = now + 30_000; Date.now() < end; await sleep(250)) {
    const { allowlist } = (await control("collector", "GET", "/status")) as { allowlist: { freshSince: number } };
    if (allowlist.freshSince > now) return;
  }
  throw new Error("the collector has fetched no allowlist for 30 s after the last rotation");
}

/** Messages of simulated sensors that were refused for good, as the sensors count them. */
async function refusals(control: Control): Promise<number> {
  const { counters } = (await control("simulator", "GET", "/status")) as { counters: { rejected: number } };
  return counters.rejected;
}
