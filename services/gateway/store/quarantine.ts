import type { DatabaseSync } from "node:sqlite";
import type { Rejection } from "../../../protocol/verdict.ts";
import { RESERVE_BYTES, type StoreBounds } from "./database.ts";
import { createTableSize } from "./table-size.ts";

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
  /** A transaction was undone: the sizes are read again before the next write. */
  readonly undone: () => void;
}

/** The quarantine in an open database, with the bounds of a spool. */
export function createQuarantine(database: DatabaseSync, { maxBytes, freeBytes }: StoreBounds): Quarantine {
  const insert = database.prepare(
    "INSERT INTO quarantine (received_at_ms, verdict, source, digest, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const dropOldest = database.prepare(
    "DELETE FROM quarantine WHERE id = (SELECT min(id) FROM quarantine) RETURNING length(bytes) AS size",
  );
  const size = createTableSize(database, "quarantine");

  return {
    add({ receivedAtMs, verdict, source, digest, bytes }) {
      size.know();
      if (bytes.length > maxBytes || freeBytes() < RESERVE_BYTES) return;
      const { changes } = insert.run(receivedAtMs, verdict, source, digest, bytes);
      size.change(Number(changes), Number(changes) * bytes.length);
      while (size.bytes() > maxBytes) size.change(-1, -Number(dropOldest.get()?.size));
    },
    count: size.rows,
    undone: size.undone,
  };
}
