import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../install/writing.ts";
import { carryRegistry } from "./carry-registry.ts";

/** What of a state directory says who may do what, or is evidence of who did: below it, each as a whole. */
export const FORWARD_ONLY: readonly string[] = [
  "authorities",
  "custody",
  "logs",
  "secrets",
  "trust",
  "volumes/custody",
  "volumes/gateways-ca",
  "volumes/operators-ca",
  // The backend's chain of what was issued and revoked, and what those who enforce it remember of lists that were in force.
  "volumes/backend/state/ledger.ndjson",
  "volumes/backend/state/ledger.head",
  "volumes/broker/state/crl.pem",
  "volumes/broker/state/trust.json",
  "volumes/collector/state/allowlist.json",
];

/** The backend's registry: its form is the version's own, so its rows are carried and not its file. */
export const REGISTRY = "volumes/backend/state/backend.db";

/**
 * Brings a cold copy forward before it takes the state's place: revocations, used tokens, destroyed keys and what is on record
 * about them stay as they are now. What the state has lost stays as it is in the copy. Cut anywhere, it does the rest when it is
 * called again.
 * @throws BUNDLE_FORWARD_REFUSED, and what the file system throws
 */
export function carryForward(stateDir: string, copy: string): void {
  carryRegistry(join(stateDir, REGISTRY), join(copy, REGISTRY));
  for (const path of FORWARD_ONLY) {
    const [now, then] = [join(stateDir, path), join(copy, path)];
    if (!existsSync(now)) continue;
    mkdirSync(dirname(then), { recursive: true, mode: 0o700 });
    // Nothing is kept of what it had: a key that was destroyed since would be there again.
    rmSync(then, { recursive: true, force: true });
    renameSync(now, then);
    for (const folder of [dirname(then), dirname(now)]) syncFolder(folder);
  }
}
