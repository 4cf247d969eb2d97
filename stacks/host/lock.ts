import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TrustKernError } from "../../shared/errors.ts";
import { hostErrors } from "./errors.ts";
import { writing } from "./files.ts";

/**
 * Takes the lock of a state directory for this process; a lock whose owner is gone is taken over.
 * @returns gives the lock back
 * @throws STATE_LOCKED naming the process that holds it
 */
export function takeLock(lockFile: string, pid: number): () => void {
  const mine = `${lockFile}.${pid}`;
  writing(lockFile, () => writeFileSync(mine, `${pid} ${startTimeOf(pid)}\n`, { mode: 0o600 }));
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        linkSync(mine, lockFile);
        return () => rmSync(lockFile, { force: true });
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
      }
      const held = ownerOf(lockFile);
      const [owner = "", since = ""] = held;
      if (goesOn(owner, since)) {
        throw hostErrors.error("STATE_LOCKED", `process ${owner} uses this state directory`, {
          path: lockFile,
          fix: `wait until process ${owner} ends, or stop it`,
        });
      }
      takeAway(lockFile, `${lockFile}.dead.${pid}`, held.join(" "));
    }
    throw hostErrors.error("STATE_LOCKED", "several processes ask for this state directory at once", {
      path: lockFile,
    });
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * {@link takeLock}, waiting for whoever holds it.
 * @throws STATE_LOCKED when it is still held after so many milliseconds
 */
export async function lockWithin(lockFile: string, limitMs: number): Promise<() => void> {
  for (const end = Date.now() + limitMs; ; await sleep(20)) {
    try {
      return takeLock(lockFile, process.pid);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError) || thrown.code !== "STATE_LOCKED" || Date.now() > end) throw thrown;
    }
  }
}

/** Takes a dead owner's lock away, and no other: somebody may have taken it over meanwhile. */
function takeAway(lockFile: string, aside: string, dead: string): void {
  try {
    renameSync(lockFile, aside);
    if (ownerOf(aside).join(" ") !== dead) linkSync(aside, lockFile);
  } catch (thrown) {
    if (!["ENOENT", "EEXIST"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Whether the process with this number and {@link startTimeOf} is still there. */
export function goesOn(pid: string, since: string): boolean {
  return pid !== "" && isAlive(Number(pid)) && startTimeOf(Number(pid)) === since;
}

/** Start of a process in clock ticks since boot (proc_pid_stat(5), field 22), so that a reused number is no owner; "unknown" without /proc. */
export function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  } catch {
    return "unknown";
  }
}

/** Whether a process of that id runs, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ownerOf(lockFile: string): readonly (string | undefined)[] {
  try {
    return readFileSync(lockFile, "utf8").trim().split(" ");
  } catch {
    return [];
  }
}
