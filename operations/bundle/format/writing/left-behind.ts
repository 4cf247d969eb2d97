import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../../../../stacks/host/lock.ts";

/**
 * Removes what processes left in a folder that were killed; what belongs to one that runs stays.
 * @param prefix of names that go on with the number of the process that made them, and `-`
 */
export async function removeLeftBehind(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = (name.startsWith(prefix) && /^(\d{1,10})-/.exec(name.slice(prefix.length))) || [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}
