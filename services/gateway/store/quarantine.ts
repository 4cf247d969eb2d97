import type { DatabaseSync } from "node:sqlite";
import type { Rejection } from "../../../protocol/verdict.ts";
import { RESERVE_BYTES, type StoreBounds } from "./database.ts";

/** A rejected envelope. */
export interface QuarantinedEnvelope {
  readonly receivedAtMs: number;
  readonly verdict: Rejection;
  /** Address it came from. */
  readonly source: string;
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Rejected envelopes, each digest once, the oldest out first. Writes belong into a transaction of the caller. */
export interface Quarantine {
  readonly add: (envelope: QuarantinedEnvelope) => void;
  readonly count: () => number;
  /** Reads the sizes from the database again. */
  readonly recount: () => void;
}

/** The quarantine in an open database, with the bounds of a spool. */
export function createQuarantine(database: DatabaseSync, { maxBytes, freeBytes }: StoreBounds): Quarantine {
  const insert = database.prepare(
    "INSERT INTO quarantine (received_at_ms, verdict, source, digest, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const dropOldest = database.prepare(
    "DELETE FROM quarantine WHERE id = (SELECT min(id) FROM quarantine) RETURNING length(bytes) AS size",
  );
  const sizes = database.prepare("SELECT count(*) AS rows, coalesce(sum(length(bytes)), 0) AS bytes FROM quarantine");
  let rows = 0;
  let used = 0;

  function recount(): void {
    const sum = sizes.get();
    rows = Number(sum?.rows);
    used = Number(sum?.bytes);
  }
  recount();

  return {
    add({ receivedAtMs, verdict, source, digest, bytes }) {
      if (bytes.length > maxBytes || freeBytes() < RESERVE_BYTES) return;
      const { changes } = insert.run(receivedAtMs, verdict, source, digest, bytes);
      rows += Number(changes);
      used += Number(changes) * bytes.length;
      while (used > maxBytes) {
        used -= Number(dropOldest.get()?.size);
        rows -= 1;
      }
    },
    count: () => rows,
    recount,
  };
}
