import type { DatabaseSync } from "node:sqlite";

/** What a gateway is told, and keeps. */
export type DocumentName = "allowlist" | "configuration" | "configuration-over";

/** Signed documents as they came, kept for the next start. */
export interface Documents {
  readonly get: (name: DocumentName) => string | undefined;
  readonly put: (name: DocumentName, text: string) => void;
}

/** The documents in an open database. */
export function createDocuments(database: DatabaseSync): Documents {
  const select = database.prepare("SELECT bytes FROM document WHERE name = ?");
  const upsert = database.prepare(
    "INSERT INTO document (name, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
  );
  return {
    get(name) {
      const row = select.get(name);
      return row && Buffer.from(row.bytes as Uint8Array).toString("utf8");
    },
    put: (name, text) => void upsert.run(name, Buffer.from(text)),
  };
}
