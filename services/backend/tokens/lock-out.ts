import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../registry/database.ts";

/** Failures within {@link WINDOW_MS} that lock an identity out. */
export const MAX_FAILURES = 5;

/** Milliseconds in which failures count together: a failure counts until, and not at, this age. */
export const WINDOW_MS = 60_000;

/** Milliseconds of a lock, from the failure that caused it. */
export const LOCK_MS = 600_000;

/** Who fails, from where. The identity is a verified certificate's, so that nobody can lock out another. */
export interface Attempt {
  readonly tenant: string;
  /** Common name of the verified certificate. */
  readonly name: string;
  /** Address of the peer. */
  readonly address: string;
}

/** Remembers failures over restarts. */
export interface LockOut {
  /** Milliseconds since the Unix epoch at which the lock ends, or null when there is none. */
  readonly lockedUntil: (attempt: Attempt) => number | null;
  /**
   * Counts a failure; gives the end of the lock when it is the one that locks. A success in between takes nothing back:
   * otherwise whoever shares name and address with a working gateway could guess for ever.
   */
  readonly failed: (attempt: Attempt) => number | null;
}

/** The lock-out on the registry's database. */
export function createLockOut(db: DatabaseSync, now: () => number): LockOut {
  return {
    lockedUntil: (attempt) => {
      const row = db.prepare("SELECT until FROM lock_out WHERE identity = ? AND address = ?").get(...keyOf(attempt));
      const until = Number(row?.until ?? 0);
      // One that ends later than any could is from before the clock was set back.
      return until > now() && until <= now() + LOCK_MS + WINDOW_MS ? until : null;
    },
    failed: (attempt) => transaction(db, () => countFailure(db, keyOf(attempt), now())),
  };
}

type Key = readonly [identity: string, address: string];

function countFailure(db: DatabaseSync, key: Key, nowMs: number): number | null {
  db.prepare("DELETE FROM failed_attempt WHERE at <= ?").run(nowMs - WINDOW_MS);
  db.prepare("DELETE FROM lock_out WHERE until <= ?").run(nowMs);
  db.prepare("INSERT INTO failed_attempt (identity, address, at) VALUES (?, ?, ?)").run(...key, nowMs);
  const counted = db.prepare("SELECT count(*) AS n FROM failed_attempt WHERE identity = ? AND address = ?").get(...key);
  if (Number(counted?.n) < MAX_FAILURES) return null;
  const until = nowMs + LOCK_MS;
  db.prepare("INSERT OR REPLACE INTO lock_out (identity, address, until) VALUES (?, ?, ?)").run(...key, until);
  db.prepare("DELETE FROM failed_attempt WHERE identity = ? AND address = ?").run(...key);
  return until;
}

function keyOf({ tenant, name, address }: Attempt): Key {
  // A listener for both versions of IP writes an IPv4 peer in this way.
  return [`${tenant}/${name}`, address.replace(/^::ffff:(?=\d+\.)/, "")];
}
