import { randomInt } from "node:crypto";
import { expect, it } from "vitest";
import { drawFault, FAULTS, type FaultName } from "./custody-faults/faults.ts";
import { type Random, randomOf } from "./custody-faults/random.ts";
import { type Rig, startRig } from "./custody-faults/rig.ts";
import type { Refusal } from "./custody-faults/traffic.ts";

/** At once, each on its own: many faults are a wait. */
const RIGS = 2;
const FAULTS_OF_EACH = 105;
const CHECK_EVERY = 15;
/** Custody and its broker refuse within 2 s; a machine that is busy with others may take this much longer. */
const REFUSED_MS = 2_000 + 1_000;
/** Where nobody is there to refuse, the client gives up. */
const GIVEN_UP_MS = 5_000 + 1_000;
const LIMIT_MS = 900_000;

/** Brings about one fault after the other; what comes after each of them is answered. */
async function suffer(rig: Rig, random: Random, seed: string): Promise<readonly FaultName[]> {
  const suffered: FaultName[] = [];
  for (let number = 1; number <= FAULTS_OF_EACH; number++) {
    const name = drawFault(random);
    const before = rig.traffic.refusals.length;
    try {
      await FAULTS[name](rig, random);
      await rig.traffic.answered();
      for (const refusal of rig.traffic.refusals.slice(before)) assertInTime(name, refusal);
      if (number % CHECK_EVERY === 0) await rig.check("running");
    } catch (cause) {
      const earlier = suffered.slice(-5).join(", ");
      throw new Error(`seed ${seed}, fault ${number}, "${name}", after ${earlier}: ${cause}`, { cause });
    }
    suffered.push(name);
  }
  await rig.traffic.end();
  expect(await rig.custody().kill("SIGTERM")).toBe(0);
  await rig.check("ended");
  return suffered;
}

function assertInTime(name: FaultName, { code, ms }: Refusal): void {
  const isBrokerAway = name === "broker killed" && code === "GRPC_UNREACHABLE";
  if (isBrokerAway ? ms <= GIVEN_UP_MS : code === "CUSTODY_KEM_UNAVAILABLE" && ms <= REFUSED_MS) return;
  throw new Error(`refused with ${code} after ${Math.round(ms)} ms`);
}

it(
  "two hundred faults while messages are opened leave no answer without a record, and no chain broken",
  async () => {
    const seed = randomInt(2 ** 47).toString(36);
    const seeds = Array.from({ length: RIGS }, (_, index) => `${seed}-${index}`);
    const rigs: Rig[] = [];
    try {
      for (const each of seeds) rigs.push(await startRig(randomOf(`traffic ${each}`)));
      const ordeals = rigs.map((rig, index) => suffer(rig, randomOf(`${seeds[index]}`), `${seeds[index]}`));
      const suffered = (await Promise.all(ordeals)).flat();
      expect(suffered.length).toBeGreaterThanOrEqual(200);
      expect([...new Set(suffered)].toSorted(), `seed ${seed}`).toEqual(Object.keys(FAULTS).toSorted());
      for (const { traffic } of rigs) expect(traffic.answers.length).toBeGreaterThan(FAULTS_OF_EACH);
    } finally {
      for (const rig of rigs) await rig.end();
    }
  },
  LIMIT_MS,
);
