import type { DatabaseSync } from "node:sqlite";
import { RECEIPT_DIGEST_BYTES } from "../../../protocol/receipt.ts";
import { RESERVE_BYTES, type StoreBounds } from "./database.ts";
import { createTableSize } from "./table-size.ts";

/** An envelope that waits for its receipt. */
export interface SpoolRow {
  readonly id: number;
  /** First 16 bytes of SHA-256 of the envelope in hex, as in receipts. */
  readonly digest: string;
  readonly sensorId: string;
  readonly bytes: Uint8Array;
}

/** Accepted envelopes on disk until their receipt comes. Writes belong into a transaction of the caller. */
export interface Spool {
  /** Adds an envelope; false, and nothing added, when it does not fit. */
  readonly add: (sensorId: string, digest: Uint8Array, bytes: Uint8Array) => boolean;
  /** Ends the row of that digest (16 bytes); false when there is none. */
  readonly remove: (digest: Uint8Array) => boolean;
  /** The oldest rows behind that id. */
  readonly after: (id: number, limit: number) => readonly SpoolRow[];
  readonly get: (id: number) => SpoolRow | undefined;
  /** Whether an envelope of that digest (SHA-256, or its first 16 bytes) waits. */
  readonly has: (digest: Uint8Array) => boolean;
  readonly count: () => number;
  /** A transaction was undone: the sizes are read again before the next write. */
  readonly undone: () => void;
}

/** The spool in an open database. */
export function createSpool(database: DatabaseSync, { maxBytes, freeBytes }: StoreBounds): Spool {
  const insert = database.prepare(
    "INSERT INTO spool (digest, sensor_id, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const erase = database.prepare("DELETE FROM spool WHERE digest = ? RETURNING length(bytes) AS size");
  const behind = database.prepare("SELECT * FROM spool WHERE id > ? ORDER BY id LIMIT ?");
  const held = database.prepare("SELECT 1 FROM spool WHERE digest = ?");
  const one = database.prepare("SELECT * FROM spool WHERE id = ?");
  const size = createTableSize(database, "spool");

  return {
    add(sensorId, digest, bytes) {
      size.know();
      if (size.bytes() + bytes.length > maxBytes || freeBytes() < RESERVE_BYTES) return false;
      const { changes } = insert.run(digest.subarray(0, RECEIPT_DIGEST_BYTES), sensorId, bytes);
      size.change(Number(changes), Number(changes) * bytes.length);
      return true;
    },
    remove(digest) {
      size.know();
      const erased = erase.get(digest);
      if (!erased) return false;
      size.change(-1, -Number(erased.size));
      return true;
    },
    after: (id, limit) => behind.all(id, limit).map(rowOf),
    get(id) {
      const row = one.get(id);
      return row && rowOf(row);
    },
    has: (digest) => held.get(digest.subarray(0, RECEIPT_DIGEST_BYTES)) !== undefined,
    count: size.rows,
    undone: size.undone,
  };
}

function rowOf(row: Record<string, unknown>): SpoolRow {
  return {
    id: Number(row.id),
    digest: Buffer.from(row.digest as Uint8Array).toString("hex"),
    sensorId: String(row.sensor_id),
    bytes: row.bytes as Uint8Array,
  };
}
