import type { DatabaseSync } from "node:sqlite";

/** Rows and bytes of a table of envelopes, counted along so that nobody has to sum them up at each message. */
export interface TableSize {
  /** Reads the size from the database where it is not known. */
  readonly know: () => void;
  readonly rows: () => number;
  readonly bytes: () => number;
  readonly change: (rows: number, bytes: number) => void;
  /** A transaction was undone: the size is not known any more. */
  readonly undone: () => void;
}

/** The size of a table that has a column `bytes`. */
export function createTableSize(database: DatabaseSync, table: "spool" | "quarantine"): TableSize {
  const sum = database.prepare(`SELECT count(*) AS rows, coalesce(sum(length(bytes)), 0) AS bytes FROM ${table}`);
  let rows = 0;
  let bytes = 0;
  let known = false;

  function know(): void {
    if (known) return;
    const size = sum.get();
    rows = Number(size?.rows);
    bytes = Number(size?.bytes);
    known = true;
  }
  know();

  return {
    know,
    rows() {
      try {
        know();
      } catch {
        // A status is told even while the disk fails: with the number of before.
      }
      return rows;
    },
    bytes: () => bytes,
    change(moreRows, moreBytes) {
      rows += moreRows;
      bytes += moreBytes;
    },
    undone() {
      known = false;
    },
  };
}
