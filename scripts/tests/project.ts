import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { $ } from "zx";

/** What came of a project's tests. */
export interface ProjectResult {
  readonly counted: { readonly passed: number; readonly failed: number; readonly skipped: number };
  /** What failed, a line each, to be shown once more at the end of a long log. */
  readonly lines: readonly string[];
}

interface TestFile {
  readonly name: string;
  readonly message: string;
  readonly assertionResults: readonly { status: string; fullName: string; failureMessages: readonly string[] }[];
}

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

/**
 * Runs the tests of a project of vitest.config.ts.
 * @param scratch folder for its report, and for compiled modules: tests start thousands of processes of the same ones
 */
export async function runProject(project: string, scratch: string): Promise<ProjectResult> {
  const report = join(scratch, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(scratch, "compiled") };
  const run = $({ env, stdio: ["ignore", "inherit", "inherit"] })`vitest run --project=${project} ${reporters}`;
  const { exitCode } = await run.nothrow();
  try {
    const counted = JSON.parse(await readFile(report, "utf8"));
    const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests } = counted;
    // An error outside of any test, such as a file that cannot be imported.
    const failed = exitCode !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
    return { counted: { passed, failed, skipped: numPendingTests + numTodoTests }, lines: failures(counted) };
  } catch {
    const lines = [`FAIL vitest wrote no report of ${project}`];
    return { counted: { passed: 0, failed: 1, skipped: 0 }, lines };
  }
}
