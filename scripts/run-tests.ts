/** Runs the checks and the tests, and ends with `N passed, N failed, N skipped`. `--fast`: types and unit tests only. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { $, argv } from "zx";

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

interface TestFile {
  readonly name: string;
  readonly message: string;
  readonly assertionResults: readonly { status: string; fullName: string; failureMessages: readonly string[] }[];
}

/** What failed, a line each, once more at the end of a long log. */
function failures({ testResults }: { readonly testResults: readonly TestFile[] }): readonly string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === "failed");
    const notRun = assertionResults.filter(({ status }) => status === "skipped").length;
    const lines = failed.map(({ fullName, failureMessages }) => `${fullName}: ${firstLine(failureMessages[0] ?? "")}`);
    if (message !== "") lines.push(firstLine(message));
    if (notRun > 0) lines.push(`${notRun} tests did not run; see above for the hook that failed`);
    return lines.map((line) => `FAIL ${relative(process.cwd(), name)} ${line}`);
  });
}

function firstLine(text: string): string {
  return (stripVTControlCharacters(text).split("\n")[0] ?? "").slice(0, 200);
}

await check("types", () => $`tsc --noEmit -p .`.nothrow().quiet());
if (!fast) {
  await check("format and lint", () => $`biome ci --colors=off --error-on-warnings .`.nothrow().quiet());
  await check("layers", () => $`depcruise --config .dependency-cruiser.cjs ${layers}`.nothrow().quiet());
  await check("dead code", () => $`knip --no-progress`.nothrow().quiet());
}

const projects = fast ? ["unit"] : ["unit", "integration", "docker"];
const scratch = await mkdtemp(join(tmpdir(), "tk-test-"));

const report = join(scratch, "vitest.json");
const only = projects.map((project) => `--project=${project}`);
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
// Tests start thousands of processes of the same modules.
const env = { ...process.env, NODE_COMPILE_CACHE: join(scratch, "compiled") };
const vitest = await $({ env, stdio: ["ignore", "inherit", "inherit"] })`vitest run ${only} ${reporters}`.nothrow();
try {
  const counted = JSON.parse(await readFile(report, "utf8"));
  total.passed += counted.numPassedTests;
  total.failed += counted.numFailedTests;
  total.skipped += counted.numPendingTests + counted.numTodoTests;
  for (const line of failures(counted)) console.log(line);
  // An error outside of any test, such as a file that cannot be imported.
  if (vitest.exitCode !== 0 && counted.numFailedTests === 0) total.failed += 1;
} catch {
  console.log("FAIL vitest wrote no report");
  total.failed += 1;
}
await rm(scratch, { recursive: true, force: true });
if (total.skipped > 0) console.log("FAIL no test may be skipped");
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.skipped > 0 ? 1 : 0);
