import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { Up, UpOptions } from "../../stacks/embedded/up.ts";
import { up } from "../../stacks/embedded/up.ts";

/** Folder of the project. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** A private folder that is gone after `remove`. */
export function scratch(prefix: string): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), `tk-${prefix}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Options of an `up` of the default deployment in `dir`. */
export function upOptions(dir: string, changes: Partial<UpOptions> = {}): UpOptions {
  const deployment = defaultDeployment();
  return {
    deployment: { ...deployment, fixture: changes.fixture !== undefined },
    dir,
    temporaryDir: tmpdir(),
    projectRoot: PROJECT,
    execPath: process.execPath,
    clock: () => new Date(),
    pid: process.pid,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onStep: () => undefined,
    ...changes,
  };
}

/** Brings a deployment up, and names the steps that were not proven where there are any. */
export async function upProven(options: UpOptions): Promise<Up> {
  const run = await up(options);
  const failed = run.steps.filter(({ ok }) => !ok).map(({ id, proof }) => `${id}: ${proof}`);
  if (failed.length === 0) return run;
  await run.stop();
  throw new Error(failed.join("\n"));
}
