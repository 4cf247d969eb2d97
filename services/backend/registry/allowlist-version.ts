import type { DatabaseSync } from "node:sqlite";

/** Version of the allowlists that are signed from the registry as it is now. */
export function allowlistVersion(db: DatabaseSync): number {
  return Number(db.prepare("SELECT version FROM allowlist").get()?.version);
}

/** Counts the version up; part of the transaction that changes who is on the list. */
export function bumpAllowlistVersion(db: DatabaseSync): void {
  db.exec("UPDATE allowlist SET version = version + 1");
}
