import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { upOptions, upProven } from "../test/support/deployment.ts";
import { delivered, refusedByGateways, rotate, rotatingDeployment } from "../test/support/rotating.ts";
import { median } from "./bench/numbers.ts";

// Rotates while messages flow, prints the section of docs/benchmarks.md, and ends with 1 when a message was refused or lost.
// node scripts/rotations.ts [leaves and tokens, of each] [intermediates and roots, of each]

const RATE = 200;
const LEAVES = ["leaf:gw-01", "leaf:broker", "leaf:collector", "leaf:backend"];
const AUTHORITIES = ["intermediate:gateways", "intermediate:services"];
const [many = 100, few = 5] = process.argv.slice(2).map(Number);
const load = (loadavg()[0] ?? 0).toFixed(1);

const plan = [
  ...Array.from({ length: many }, (_, n) => [LEAVES[n % LEAVES.length] ?? "", "token:gw-01"]).flat(),
  ...Array.from({ length: few }, (_, n) => [AUTHORITIES[n % AUTHORITIES.length] ?? "", "root", "pin"]).flat(),
];
const dir = mkdtempSync(join(tmpdir(), "tk-rotations-"));
const run = await upProven(upOptions(dir, { deployment: rotatingDeployment(RATE) }));
const took = new Map<string, number[]>();
let result: Awaited<ReturnType<typeof delivered>>;
try {
  const refusedBefore = await refusedByGateways(run);
  await run.deployed.control("simulator", "POST", "/run", { rate: RATE, total: null });
  for (const [index, what] of plan.entries()) {
    const seconds = await rotate(dir, what);
    const [kind = ""] = what.split(":");
    took.set(kind, [...(took.get(kind) ?? []), seconds]);
    process.stderr.write(`${index + 1}/${plan.length} ${what}: ${seconds.toFixed(1)} s\n`);
  }
  result = await delivered(run, refusedBefore);
} finally {
  await run.stop();
  rmSync(dir, { recursive: true, force: true });
}

const rows = [...took].map(
  ([kind, all]) => `| ${kind} | ${all.length} | ${median(all).toFixed(1)} | ${Math.max(...all).toFixed(1)} |`,
);
console.log(`
## Rotation while messages flow

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/rotations.ts ${many} ${few} >> docs/benchmarks.md\` on ${cpus().length} cores; load average before:
${load}. The embedded engine, ${RATE} messages a second asked for. A rotation lasts as long as the proof that everybody has followed.

| what | rotations | median, s | longest, s |
|---|---:|---:|---:|
${rows.join("\n")}

Acknowledged: ${result.acknowledged.length} messages; refused: ${result.refused}; not stored exactly once: ${result.wrong.length}; in quarantine: ${result.quarantined.length}.`);
process.exitCode = result.refused + result.wrong.length + result.quarantined.length === 0 ? 0 : 1;
