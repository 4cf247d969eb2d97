/**
 * Run on a small disk of its own: fills it while messages flow, frees it, and prints what became of the promise.
 * usage: node full-disk.ts DIR
 */
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { upOptions, upProven } from "./deployment.ts";
import { drained } from "./drained.ts";
import { compareLedger } from "./ledger.ts";

const dir = process.argv[2] ?? "";
const filler = join(dir, "filler");
const deployment = { ...defaultDeployment(), simulator: { sensors: 5, ratePerSecond: 50 } };
const run = await upProven(upOptions(join(dir, "state"), { deployment }));
const status = async (name: string) =>
  (await run.deployed.control(name, "GET", "/status")) as { counters: Record<string, number> };

await run.deployed.control("simulator", "POST", "/run", { rate: 50, total: null });
await sleep(1_000);
fill();
await sleep(6_000);
const { acknowledged: whileFull = 0 } = (await status("simulator")).counters;
rmSync(filler);
await sleep(6_000);
await run.deployed.control("simulator", "POST", "/stop");
await drained(run);
const result = await compareLedger(run);
process.stdout.write(
  JSON.stringify({
    whileFull,
    acknowledged: result.acknowledged.length,
    wrong: result.wrong,
    quarantined: result.quarantined,
  }),
);
await run.stop();

/** To the last byte. */
function fill(): void {
  for (let chunk = 1 << 20; chunk >= 1; chunk >>= 4) {
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(chunk));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
    }
  }
}
