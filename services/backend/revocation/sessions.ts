import type { DatabaseSync } from "node:sqlite";

/** Milliseconds for which an ended session is told to the broker, which asks every few seconds. */
const MEMORY_MS = 7 * 86_400_000;

/** Why the broker has to end the sessions of a name. */
export type EndReason = "certificate-revoked" | "token-revoked";

/** A name whose sessions at the broker end. */
export interface EndedSession {
  /** Grows with each one, also over a restart. */
  readonly seq: number;
  readonly name: string;
  readonly reason: EndReason;
  /** Serial number of the certificate, in lower-case hex, where one was revoked. @default every session of the name */
  readonly serial?: string | undefined;
}

/** Tells the broker to end the sessions of a name; part of the transaction that revokes. */
export function endSession(
  db: DatabaseSync,
  { name, reason, serial, atMs }: Omit<EndedSession, "seq"> & { readonly atMs: number },
): void {
  db.prepare("DELETE FROM ended_session WHERE at < ?").run(atMs - MEMORY_MS);
  const insert = db.prepare("INSERT INTO ended_session (name, reason, serial, at) VALUES (?, ?, ?, ?)");
  insert.run(name, reason, serial ?? null, atMs);
}

/** What ended after a sequence number, oldest first. */
export function endedSessions(db: DatabaseSync, after: number): readonly EndedSession[] {
  const rows = db.prepare("SELECT seq, name, reason, serial FROM ended_session WHERE seq > ? ORDER BY seq").all(after);
  return rows.map(({ seq, name, reason, serial }) => ({
    seq: Number(seq),
    name: String(name),
    reason: reason as EndReason,
    ...(serial !== null && { serial: String(serial) }),
  }));
}
