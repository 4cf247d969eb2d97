import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, whole } from "./bench/numbers.ts";
import { ENGINES } from "./bench/synth-engines.ts";

// Prints a section of docs/benchmarks.md.

const ROUNDS = Number(process.argv[2] ?? 5);

interface Round {
  readonly components: number;
  readonly bytes: number;
  readonly cold: number;
  readonly coldMemory: number;
  readonly warm: number;
  readonly memory: number;
}

const run = promisify(execFile);
const load = (loadavg()[0] ?? 0).toFixed(1);
const folder = mkdtempSync(join(tmpdir(), "tk-bench-"));
const engines = Object.keys(ENGINES);
const rounds: (readonly [engine: string, round: Round])[] = [];
try {
  // In turn, so that all see the same machine.
  for (let n = 0; n < ROUNDS; n++)
    for (const engine of engines) {
      const program = join(import.meta.dirname, "bench", "synth-once.ts");
      const { stdout } = await run(process.execPath, [program, engine, folder], {
        env: { ...process.env, PULUMI_TEST_MODE: "true" },
      });
      rounds.push([engine, JSON.parse(stdout) as Round]);
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const of = (engine: string, what: keyof Round): number =>
  median(rounds.filter(([each]) => each === engine).map(([, round]) => round[what]));
const [first = ""] = engines;
const rows = engines.map((engine) => {
  const [cold, warm] = [of(engine, "cold"), of(engine, "warm")];
  const ratio = (what: "cold" | "warm") => (of(engine, what) / of(first, what)).toFixed(1);
  const kib = of(engine, "bytes") / 1024;
  return `| ${engine} | ${of(engine, "components")} | ${kib === 0 ? "–" : whole(kib)} | ${whole(cold)} | ${ratio("cold")} | ${whole(of(engine, "coldMemory"))} | ${warm.toFixed(1)} | ${ratio("warm")} | ${whole(of(engine, "memory"))} |`;
});

console.log(`
## Synthesis of a deployment

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bench-synth.ts >> docs/benchmarks.md\` on ${cpus().length} cores; load average
before: ${load}. ${ROUNDS} rounds, each engine in turn, medians. Profile \`customer-tenant\` with two gateways, and for the engine embedded, which that profile does
not allow, \`dev\`. Each is built into a model and held against the boundary; what is rendered is held against the model once more. Nothing
is asked of an engine, a cluster, a registry or a provider.

- cold: a new process, from its start to the first result, with all that it loads
- warm: the same again in that process, the median of 15
- memory: the most that the process had until then

| what | components | KiB of it | cold, ms | of embedded | MiB | warm, ms | of embedded | MiB |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
${rows.join("\n")}`);
