import { isDeepStrictEqual } from "node:util";
import type { Database } from "../../stacks/embedded/database.ts";
import type { Control } from "../../stacks/host/recipients.ts";

/** A message that a sensor had 2.04 for. */
export interface Acknowledged {
  /** Its place in the sensors' ledger. */
  readonly id: number;
  readonly sensor_id: string;
  readonly boot_id: number;
  readonly seq: number;
  readonly digest: string;
  readonly plaintext: string;
}

/** What the promise "acknowledged is stored exactly once" came to. */
export interface LedgerResult {
  readonly acknowledged: readonly Acknowledged[];
  /** Acknowledged messages that are no row, several rows, a row of other bytes or of other values. */
  readonly wrong: readonly string[];
  /** Digests of acknowledged messages that are in quarantine. */
  readonly quarantined: readonly string[];
}

/** A deployment that runs, whatever the engine. */
export interface Running {
  readonly deployed: { readonly control: Control };
  readonly database: Pick<Database, "query">;
}

/** Compares what the sensors were told with what the database holds. */
export async function compareLedger({ deployed, database }: Running): Promise<LedgerResult> {
  const acknowledged = await allAcknowledged(deployed.control);
  const rows = await database.query<{ id: string; times: number; digest: string; payload: unknown }>(
    `SELECT encode(t.sensor_id, 'hex') || '/' || t.boot_id || '/' || t.seq AS id, count(*)::int AS times,
            min(encode(s.digest, 'hex')) AS digest, min(t.payload::text)::jsonb AS payload
       FROM telemetry t JOIN envelope_seen s USING (sensor_id, boot_id, seq) GROUP BY 1`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const wrong = acknowledged.flatMap(({ sensor_id, boot_id, seq, digest, plaintext }) => {
    const id = `${sensor_id}/${boot_id}/${seq}`;
    const row = byId.get(id);
    if (row === undefined) return [`${id} is no row`];
    if (row.times !== 1) return [`${id} is ${row.times} rows`];
    if (row.digest !== digest) return [`${id} is of other bytes`];
    return isDeepStrictEqual(row.payload, JSON.parse(plaintext)) ? [] : [`${id} has other values`];
  });
  const quarantine = await database.query<{ digest: string }>("SELECT encode(digest, 'hex') AS digest FROM quarantine");
  const ours = new Set(acknowledged.map(({ digest }) => digest));
  const quarantined = quarantine.map(({ digest }) => digest).filter((digest) => ours.has(digest));
  return { acknowledged, wrong, quarantined };
}

/** The whole ledger, which is told in pages. */
async function allAcknowledged(control: Control): Promise<readonly Acknowledged[]> {
  const all: Acknowledged[] = [];
  for (;;) {
    const path = `/ledger?after=${all.at(-1)?.id ?? 0}`;
    const page = (await control("simulator", "GET", path)) as readonly Acknowledged[];
    if (page.length === 0) return all;
    for (const each of page) all.push(each);
  }
}
