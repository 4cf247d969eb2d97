import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import type { ToolsContext } from "./context.ts";
import { toolsErrors } from "./errors.ts";

const POLL_MS = 200;

/**
 * A folder `<cacheDir>/tools/<key>` that is either whole or not there. When it is not, `fill` makes it beside its place,
 * under a lock: two runs do not fill it twice, and the lock of a process that is gone is taken over.
 * @throws TOOL_CACHE_UNWRITABLE, TOOL_CANCELLED, and whatever `fill` throws; then nothing is left of the folder
 */
export async function cachedFolder(
  context: ToolsContext,
  key: string,
  fill: (folder: string) => Promise<void> | void,
): Promise<string> {
  const parent = join(context.cacheDir, "tools");
  const folder = join(parent, key);
  if (existsSync(folder)) return folder;
  writing(parent, () => mkdirSync(parent, { recursive: true }));
  const release = await waitForLock(context, `${folder}.lock`, key);
  const unfinished = `${folder}.unfinished`;
  try {
    if (existsSync(folder)) return folder;
    writing(parent, () => {
      rmSync(unfinished, { recursive: true, force: true });
      mkdirSync(unfinished);
    });
    await fill(unfinished);
    writing(parent, () => renameSync(unfinished, folder));
    return folder;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    release();
  }
}

async function waitForLock(context: ToolsContext, lockFile: string, key: string): Promise<() => void> {
  for (let waits = 0; ; waits += 1) {
    if (context.signal.aborted) throw toolsErrors.error("TOOL_CANCELLED", `cancelled before ${key} was there`);
    try {
      return takeLock(lockFile, process.pid);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError && thrown.code === "STATE_LOCKED")) throw unwritable(lockFile, thrown);
    }
    if (waits === 0) context.onProgress(`waiting for another run that makes ${key}`);
    await sleep(POLL_MS, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (thrown) {
    throw unwritable(path, thrown);
  }
}

function unwritable(path: string, cause: unknown): TrustKernError {
  return toolsErrors.error("TOOL_CACHE_UNWRITABLE", `cannot write ${path}: ${messageOf(cause)}`, { path, cause });
}
