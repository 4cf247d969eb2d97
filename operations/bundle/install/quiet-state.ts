import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hostErrors } from "../../../stacks/host/errors.ts";
import { goesOn } from "../../../stacks/host/lock.ts";
import { siteErrors } from "./errors.ts";
import type { Hands } from "./hands.ts";

/** What a deploy takes at most that was left behind. */
const LIMIT_MS = 600_000;

/**
 * Waits until nobody deploys any more, nor has the lock of the state: where a command was killed, the toolkit that it started may still deploy. Nothing is
 * taken, since the state is about to be copied or moved, and a lock would go with it; the site's own lock keeps other bundles away.
 * @throws STATE_LOCKED, BUNDLE_SITE_CANCELLED
 */
export async function quietState(
  { site, signal, onProgress }: Pick<Hands, "site" | "signal" | "onProgress">,
  limitMs: number = LIMIT_MS,
): Promise<void> {
  // One says so before it begins, the other while it is at it: between the two there is no moment that neither covers.
  const locks = [site.deployFile, join(site.stateDir, "lock")];
  const end = Date.now() + limitMs;
  for (let said = false; ; said = true, await sleep(100)) {
    const held = locks.map((lock) => [lock, ...textOf(lock).trim().split(" ")] as const);
    const [lock, owner = ""] = held.find(([, pid = "", since = ""]) => goesOn(pid, since)) ?? [];
    if (lock === undefined) return;
    if (signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", `cancelled while process ${owner} deployed`);
    if (Date.now() >= end) {
      const fix = `wait until process ${owner} ends, or stop it, and run the same command again`;
      throw hostErrors.error("STATE_LOCKED", `process ${owner} uses "${site.stateDir}"`, { path: lock, fix });
    }
    if (!said) onProgress(`waiting for process ${owner}, which deploys`);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
