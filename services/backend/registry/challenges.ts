import type { DatabaseSync } from "node:sqlite";
import { backendErrors } from "../errors.ts";

/** Milliseconds for which a used or expired challenge is remembered, so that its second use is told from an unknown one. */
const MEMORY_MS = 86_400_000;

/** A question that a sensor answers once, to prove that it holds its key. */
export interface Challenge {
  /** 16 bytes in hex. */
  readonly challengeId: string;
  /** 32 random bytes in hex. */
  readonly nonce: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/** Stores a challenge and forgets old ones; part of a transaction. */
export function insertChallenge(db: DatabaseSync, sensorId: string, challenge: Challenge, nowMs: number): void {
  db.prepare("DELETE FROM challenge WHERE expires_at < ?").run(nowMs - MEMORY_MS);
  db.prepare("INSERT INTO challenge (challenge_id, sensor_id, nonce, expires_at) VALUES (?, ?, ?, ?)").run(
    challenge.challengeId,
    sensorId,
    challenge.nonce,
    challenge.expiresAtMs,
  );
}

/**
 * Uses a challenge up and gives its nonce; part of a transaction.
 * @throws PROVISIONING_CHALLENGE_UNKNOWN also for another sensor's
 * @throws PROVISIONING_CHALLENGE_USED
 * @throws PROVISIONING_CHALLENGE_EXPIRED
 */
export function takeChallenge(db: DatabaseSync, challengeId: string, sensorId: string, nowMs: number): string {
  const row = db.prepare("SELECT * FROM challenge WHERE challenge_id = ? AND sensor_id = ?").get(challengeId, sensorId);
  const about = `challenge ${challengeId} for sensor ${sensorId}`;
  const path = "challenge_id";
  if (!row) throw backendErrors.error("PROVISIONING_CHALLENGE_UNKNOWN", `no ${about} was given`, { path });
  if (row.used === 1) throw backendErrors.error("PROVISIONING_CHALLENGE_USED", `${about} was used before`, { path });
  const expiredSince = new Date(Number(row.expires_at)).toISOString();
  if (Number(row.expires_at) <= nowMs)
    throw backendErrors.error("PROVISIONING_CHALLENGE_EXPIRED", `${about} expired at ${expiredSince}`, { path });
  db.prepare("UPDATE challenge SET used = 1 WHERE challenge_id = ?").run(challengeId);
  return String(row.nonce);
}
