import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { embeddedSite } from "../../stacks/embedded/certs-site.ts";
import type { Up } from "../../stacks/embedded/up.ts";
import { certsLockOf } from "../../stacks/host/certs-site.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import { rotateAt } from "../../stacks/host/rotation/run-at.ts";
import { drained } from "./drained.ts";
import { compareLedger, type LedgerResult } from "./ledger.ts";

/** The deployment that is rotated: as `up` has it without a file, with more sensors. */
export function rotatingDeployment(ratePerSecond: number) {
  return { ...defaultDeployment(), simulator: { sensors: 8, ratePerSecond } };
}

/** Rotates as `trustkern certs rotate --what` does. @returns seconds that it took */
export async function rotate(dir: string, what: string): Promise<number> {
  const clock = (): Date => new Date();
  const site = await embeddedSite({
    deployment: rotatingDeployment(1),
    dir,
    temporaryDir: tmpdir(),
    clock,
    actor: "cli:test",
  });
  const unlock = await lockWithin(60_000, certsLockOf(site));
  const started = performance.now();
  try {
    await rotateAt(site, {
      what,
      clock,
      signal: new AbortController().signal,
      limitSeconds: 180,
      onPhase: () => undefined,
    });
  } finally {
    unlock();
  }
  return (performance.now() - started) / 1000;
}

async function lockWithin(limitMs: number, file: string): Promise<() => void> {
  for (let waited = 0; ; waited += 100) {
    try {
      return takeLock(file, process.pid);
    } catch (thrown) {
      if (waited >= limitMs) throw thrown;
      await sleep(100);
    }
  }
}

/** What the sensors' messages came to. */
export interface Delivered extends LedgerResult {
  /** Messages that a gateway refused for good: answered with 4.00. */
  readonly refused: number;
}

/** Messages of simulated sensors that were refused for good, as the sensors count them. */
export async function refusedByGateways({ deployed }: Up): Promise<number> {
  const { counters } = (await deployed.control("simulator", "GET", "/status")) as { counters: { rejected: number } };
  return counters.rejected;
}

/** Has the sensors stop, waits for the last receipt, and compares what they were told with what is stored. */
export async function delivered(run: Up, refusedBefore: number): Promise<Delivered> {
  await run.deployed.control("simulator", "POST", "/stop");
  await drained(run);
  return { ...(await compareLedger(run)), refused: (await refusedByGateways(run)) - refusedBefore };
}
