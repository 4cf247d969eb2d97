import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DecapsulationsResult, prepareDecapsulations } from "./bench/decapsulations.ts";
import { median, micros, whole } from "./bench/numbers.ts";
import { opensslSpeed } from "./bench/openssl.ts";

// Prints a section of docs/benchmarks.md.

const ROUNDS = 5;
/** Items in a batch, and in a round. */
const SIZES = [
  [1024, 32_768],
  [64, 32_768],
  [1, 2_048],
] as const;

const load = (loadavg()[0] ?? 0).toFixed(1);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tk-bench-"));
const bench = await prepareDecapsulations(folder, root);
const rounds: (DecapsulationsResult & Record<"batch" | "x25519" | "perCpuSecond", number>)[] = [];
for (let n = 0; n < ROUNDS; n++)
  for (const [batch, items] of SIZES) {
    const { x25519 } = await opensslSpeed(1);
    const round = await bench.round(items, batch);
    const { client, broker, custody } = round.cpu;
    rounds.push({ ...round, batch, x25519, perCpuSecond: round.items / (client + broker + custody) });
  }
bench.close();
rmSync(folder, { recursive: true });

const rows = SIZES.map(([batch, items]) => {
  const of = rounds.filter((round) => round.batch === batch);
  const per = (who: "client" | "broker" | "custody"): string => micros(median(of.map(({ cpu }) => cpu[who])), items);
  const each = whole(median(of.map(({ perCpuSecond }) => perCpuSecond)));
  const x25519 = whole(median(of.map((round) => round.x25519)));
  const ratio = median(of.map((round) => round.perCpuSecond / round.x25519)).toFixed(2);
  return `| ${batch} | ${per("client")} | ${per("broker")} | ${per("custody")} | ${each} | ${x25519} | **${ratio}** |`;
});
console.log(`## Decapsulations through custody

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bench-custody.ts\`; load average before: ${load}. A client, the custody broker
and the crypto service with a file store and its audit log on the disk, all CPU time of the three counted; ${ROUNDS} rounds of
${whole(SIZES[0][1])} items for each size of batch (${whole(SIZES[2][1])} one by one), \`openssl speed ecdhx25519\` between them; medians. Four batches
are under way at once. Goal: at least 0.60 of it with 1024 items.

| items in a batch | client, µs CPU an item | broker | crypto service | items per CPU-second | X25519 per second | of it |
|---:|---:|---:|---:|---:|---:|---:|
${rows.join("\n")}`);
process.exit();
