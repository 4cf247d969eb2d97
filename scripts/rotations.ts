import { cpus, loadavg } from "node:os";
import { type Delivered, rotate, rotating } from "../test/support/rotating.ts";
import { median } from "./bench/numbers.ts";

// Rotates while messages flow, prints the section of docs/benchmarks.md, and ends with 1 when a message was refused or lost.
// node scripts/rotations.ts [leaves and tokens, of each] [intermediates and roots, of each] [embedded or docker]

const RATE = 200;
const LEAVES = ["leaf:gw-01", "leaf:broker", "leaf:collector", "leaf:backend"];
const AUTHORITIES = ["intermediate:gateways", "intermediate:services"];
const [, , many = "100", few = "5", where] = process.argv;
const engine = where === "docker" ? "docker" : "embedded";
const load = (loadavg()[0] ?? 0).toFixed(1);

const plan = [
  ...Array.from({ length: Number(many) }, (_, n) => [LEAVES[n % LEAVES.length] ?? "", "token:gw-01"]).flat(),
  ...Array.from({ length: Number(few) }, (_, n) => [AUTHORITIES[n % AUTHORITIES.length] ?? "", "root", "pin"]).flat(),
];
const run = await rotating(engine, RATE);
const started = performance.now();
const took = new Map<string, number[]>();
let result: Delivered;
let perSecond: number;
try {
  for (const [index, what] of plan.entries()) {
    const seconds = await rotate(run, what);
    const [kind = ""] = what.split(":");
    took.set(kind, [...(took.get(kind) ?? []), seconds]);
    process.stderr.write(`${index + 1}/${plan.length} ${what}: ${seconds.toFixed(1)} s\n`);
  }
  result = await run.delivered();
  const seconds = (performance.now() - started) / 1000;
  perSecond = Math.round(result.acknowledged.length / seconds);
} finally {
  await run.stop();
}

const rows = [...took].map(
  ([kind, all]) => `| ${kind} | ${all.length} | ${median(all).toFixed(1)} | ${Math.max(...all).toFixed(1)} |`,
);
console.log(`
## Rotation while messages flow: ${engine}

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/rotations.ts ${many} ${few} ${engine} >> docs/benchmarks.md\` on ${cpus().length} cores; load average before:
${load}. ${RATE} messages a second asked for. A rotation lasts as long as the proof that everybody has followed.

| what | rotations | median, s | longest, s |
|---|---:|---:|---:|
${rows.join("\n")}

Acknowledged: ${result.acknowledged.length} messages, ${perSecond} a second; refused: ${result.refused}; not stored exactly once: ${result.wrong.length}; in quarantine: ${result.quarantined.length}.`);
process.exitCode = result.refused + result.wrong.length + result.quarantined.length === 0 ? 0 : 1;
