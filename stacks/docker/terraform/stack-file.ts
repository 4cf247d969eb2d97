import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { holds, writePrivate, writing } from "../../host/files.ts";
import { STACK_FILE } from "./init.ts";

/** The stack in a working folder while something is done with it. */
export interface LentStack extends Disposable {
  /** From here on it is what is deployed; until then the one of the last deploy comes back at the end. */
  readonly keep: () => void;
}

/**
 * Puts a stack where OpenTofu reads it, and that of the last deploy aside: what is planned is not deployed.
 * @throws STATE_UNWRITABLE
 */
export function lendStack(workDir: string, text: string): LentStack {
  const file = join(workDir, STACK_FILE);
  const aside = asideOf(workDir);
  const giveBack = (): void => {
    if (existsSync(aside)) writing(file, () => renameSync(aside, file));
  };
  // A run that was killed left it there.
  giveBack();
  if (holds(file, text)) return { keep: () => undefined, [Symbol.dispose]: () => undefined };
  const first = !existsSync(file);
  if (!first) writing(aside, () => renameSync(file, aside));
  writePrivate(file, text);
  let kept = false;
  return {
    keep: () => {
      kept = true;
      writing(aside, () => rmSync(aside, { force: true }));
    },
    [Symbol.dispose]: () => {
      if (kept) return;
      if (first) writing(file, () => rmSync(file, { force: true }));
      giveBack();
    },
  };
}

/** Path of the stack of the last deploy. */
export function deployedStack(workDir: string): string {
  const aside = asideOf(workDir);
  return existsSync(aside) ? aside : join(workDir, STACK_FILE);
}

/** No name that OpenTofu reads. */
function asideOf(workDir: string): string {
  return join(workDir, `${STACK_FILE}.deployed`);
}
