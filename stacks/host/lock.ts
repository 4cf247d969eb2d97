import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
      const [owner, since] = ownerOf(lockFile);
      if (owner !== undefined && owner !== "" && isAlive(Number(owner)) && startTimeOf(Number(owner)) === since) {
        throw hostErrors.error("STATE_LOCKED", `process ${owner} uses this state directory`, {
          path: lockFile,
          fix: `wait until process ${owner} ends, or stop it`,
        });
      }
      rmSync(lockFile, { force: true });
    }
    throw hostErrors.error("STATE_LOCKED", "several processes ask for this state directory at once", {
      path: lockFile,
    });
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Start of a process in clock ticks since boot (proc_pid_stat(5), field 22), so that a reused number is no owner; "unknown" without /proc. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
  } catch {
    return "unknown";
  }
}

function isAlive(pid: number): boolean {
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
