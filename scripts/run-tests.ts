/** Runs the checks and the tests, and ends with `N passed, N failed, N skipped`. `--fast`: types and unit tests only. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, argv } from "zx";

const fast = argv.fast === true;
const scratch = await mkdtemp(join(tmpdir(), "tk-test-"));
const report = join(scratch, "vitest.json");
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };

/** Every check counts as one test. */
const checks = [
  ["types", $`tsc --noEmit -p .`],
  ...(fast
    ? []
    : ([
        ["format and lint", () => $`biome ci --colors=off --error-on-warnings .`],
        ["layers", () => $`depcruise --config .dependency-cruiser.cjs shared protocol certs custody model profiles modules services stacks operations cli scripts`],
        ["dead code", () => $`knip --no-progress`],
      ] as const)),
] as const;

for (const [name, run] of checks) {
  const result = await (typeof run === "function" ? run() : run).nothrow().quiet();
  const ok = result.exitCode === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (!ok) console.log(result.stdout + result.stderr);
  total[ok ? "passed" : "failed"] += 1;
}

const projects = fast ? ["--project", "unit"] : [];
const vitest = await $({ stdio: ["ignore", "inherit", "inherit"] })`vitest run ${projects} --reporter=default --reporter=json --outputFile.json=${report}`.nothrow();
try {
  const counted = JSON.parse(await readFile(report, "utf8"));
  total.passed += counted.numPassedTests;
  total.failed += counted.numFailedTests;
  total.skipped += counted.numPendingTests + counted.numTodoTests;
  if (vitest.exitCode !== 0 && counted.numFailedTests === 0) total.failed += 1;
} catch {
  console.log("FAIL vitest wrote no report");
  total.failed += 1;
}
await rm(scratch, { recursive: true, force: true });
if (total.skipped > 0) console.log("FAIL nothing may be skipped");
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.skipped > 0 ? 1 : 0);
