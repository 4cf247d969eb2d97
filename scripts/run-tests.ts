/** Runs the checks and the tests, and ends with `N passed, N failed, N skipped`. `--fast`: types and unit tests only. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, argv } from "zx";
import { runProject } from "./tests/project.ts";

const fast = argv.fast === true;
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const layers = "shared protocol certs custody model profiles modules services stacks operations cli scripts".split(" ");

/** Every check counts as one test. */
async function check(name: string, run: () => PromiseLike<{ readonly exitCode: number | null }>): Promise<void> {
  const result = await run();
  const ok = result.exitCode === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (!ok) console.log(String(result));
  total[ok ? "passed" : "failed"] += 1;
}

await check("types", () => $`tsc --noEmit -p .`.nothrow().quiet());
if (!fast) {
  await check("format and lint", () => $`biome ci --colors=off --error-on-warnings .`.nothrow().quiet());
  await check("layers", () => $`depcruise --config .dependency-cruiser.cjs ${layers}`.nothrow().quiet());
  await check("dead code", () => $`knip --no-progress`.nothrow().quiet());
}

/** Beside each other: containers and programs are waited for most of the time. The projects of a lane run one after the other. */
const lanes: readonly (readonly string[])[] = fast
  ? [["unit"]]
  : [
      ["docker", "kubernetes"],
      ["unit", "integration"],
    ];
const scratch = await mkdtemp(join(tmpdir(), "tk-test-"));
const failures: string[] = [];
async function runLane(projects: readonly string[]): Promise<void> {
  for (const project of projects) {
    const { counted, lines } = await runProject(project, scratch);
    for (const outcome of ["passed", "failed", "skipped"] as const) total[outcome] += counted[outcome];
    failures.push(...lines);
  }
}
await Promise.all(lanes.map(runLane));
for (const line of failures) console.log(line);

await rm(scratch, { recursive: true, force: true });
if (total.skipped > 0) console.log("FAIL no test may be skipped");
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.skipped > 0 ? 1 : 0);
