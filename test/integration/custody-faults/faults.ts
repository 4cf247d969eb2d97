import { setTimeout as delay } from "node:timers/promises";
import { pick, type Random } from "./random.ts";
import type { Rig } from "./rig.ts";
import { inject } from "./tracer.ts";

/** Brings a fault about, waits until it was felt, and lifts it. */
type Fault = (rig: Rig, random: Random) => Promise<void>;

/** Longer than the broker waits for custody. */
const LONG_STOP_MS = 2_300;

/** Every kind of fault. */
export const FAULTS = {
  "custody killed": async (rig, random) => {
    await delay(random(60));
    await rig.custody().kill("SIGKILL");
    await revive(rig);
  },
  "custody killed as it writes": async (rig, random) => {
    const file = pick(random, ["segment", "head"]);
    const release = await traced(rig, [file], ["pwrite64:signal=SIGKILL"]);
    await rig.custody().ended;
    await release();
    await revive(rig);
  },
  "broker killed": async (rig, random) => {
    await delay(random(60));
    await rig.broker().kill("SIGKILL");
    await rig.traffic.refused();
    rig.startBroker();
  },
  "disk full": async ({ disk, traffic }) => {
    disk.fill();
    try {
      await traffic.refused();
    } finally {
      disk.free();
    }
  },
  "writes fail": async (rig, random) => {
    const files = pick<readonly ("segment" | "head")[]>(random, [["segment"], ["head"], ["segment", "head"]]);
    const error = pick(random, ["EIO", "ENOSPC", "EDQUOT", "EROFS"]);
    const cuts = pick(random, [[], [`ftruncate:error=${error}`]]);
    const release = await traced(rig, files, [`pwrite64:error=${error}`, ...cuts]);
    await rig.traffic.refused();
    await release();
  },
  "disk blocked": async (rig, random) => {
    const file = pick(random, ["segment", "head"]);
    const when = pick(random, ["enter", "exit"]);
    const release = await traced(rig, [file], [`pwrite64:delay_${when}=10000000`]);
    await rig.traffic.refused();
    await release();
  },
  "custody stopped": async (rig, random) => {
    const { child } = rig.custody();
    const ms = pick(random, [random(1_000), LONG_STOP_MS]);
    child.kill("SIGSTOP");
    if (ms === LONG_STOP_MS) await rig.traffic.refused();
    else await delay(ms);
    child.kill("SIGCONT");
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** Names of the faults. */
export type FaultName = keyof typeof FAULTS;

/** How often each kind comes, in a hundred: what takes seconds comes less often. */
const SHARES: Readonly<Record<FaultName, number>> = {
  "custody killed": 7,
  "custody killed as it writes": 7,
  "broker killed": 13,
  "disk full": 23,
  "writes fail": 35,
  "disk blocked": 6,
  "custody stopped": 9,
};

/** One of the kinds, as often as its share says. */
export function drawFault(random: Random): FaultName {
  let drawn = random(100);
  for (const [name, share] of Object.entries(SHARES) as [FaultName, number][]) {
    if (drawn < share) return name;
    drawn -= share;
  }
  throw new RangeError("the shares are not a hundred");
}

/** What is on the disk after a death is held against the answers before anybody mends it. */
async function revive(rig: Rig): Promise<void> {
  await rig.traffic.refused();
  await rig.check("dead");
  rig.startCustody();
}

function traced(rig: Rig, files: readonly ("segment" | "head")[], faults: readonly string[]) {
  const pid = rig.custody().child.pid ?? 0;
  return inject({ pid, faults, files: files.map((file) => rig.files[file]), under: rig.disk.under });
}
