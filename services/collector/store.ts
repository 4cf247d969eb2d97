import pg from "pg";
import { messageOf } from "../../shared/errors.ts";
import { collectorErrors } from "./errors.ts";
import { type Batch, writeBatch } from "./store-batch.ts";
import { createStoreConnection, type StoreConnection, type StoreTarget } from "./store-connection.ts";
import { refusalOf } from "./store-faults.ts";
import { writeDevices } from "./store-sensors.ts";
import type { BatchContext, RejectRow, StoredDevice, StoreResult, StoreRow, StoreTotals } from "./store-types.ts";

/** The collector's side of the database. */
export interface Store {
  /** Whether the last attempt reached the database. */
  readonly ready: () => boolean;
  /**
   * Stores a batch in one transaction: rows, rejects and events together; gives the result of each row. A row that the database refuses
   * is quarantined as `bad-payload`, the others are stored. May be called again with the same batch after it rejected.
   * @throws STORE_UNAVAILABLE for a fault, of which no row has a verdict
   */
  readonly storeBatch: (
    rows: readonly StoreRow[],
    rejects: readonly RejectRow[],
    context: BatchContext,
  ) => Promise<readonly StoreResult[]>;
  /** Writes down the sensors of a new allowlist. @throws STORE_UNAVAILABLE */
  readonly saveDevices: (devices: readonly StoredDevice[]) => Promise<void>;
  /** @throws STORE_UNAVAILABLE */
  readonly totals: () => Promise<StoreTotals>;
  readonly close: () => Promise<void>;
}

/** What {@link createStore} works with. */
export interface StoreOptions extends StoreTarget {
  /** Bytes that quarantine may hold; the oldest go first. */
  readonly quarantineMaxBytes: number;
}

/** Attempts at a batch that collide with other collectors. */
const MAX_ATTEMPTS = 8;

/** A store that connects when it is first used, and again after every fault. */
export function createStore({ quarantineMaxBytes, ...target }: StoreOptions): Store {
  const connection = createStoreConnection(target);
  let reachable = false;
  let last: Promise<unknown> = Promise.resolve();
  /** While redelivery goes on, to ask first costs less than to be refused. */
  let ask = false;

  /** One after the other: the connection has one transaction. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work).then(
      (value) => {
        reachable = true;
        return value;
      },
      (cause: unknown) => {
        reachable = false;
        const path = `${target.host}:${target.port}/${target.database}`;
        throw collectorErrors.error("STORE_UNAVAILABLE", `nothing was stored: ${messageOf(cause)}`, { path, cause });
      },
    );
    last = result.catch(() => undefined);
    return result;
  };
  const attempt = async (batch: Batch): Promise<readonly StoreResult[]> => {
    for (let count = 1; ; count += 1) {
      try {
        const results = await connection.transaction((session) => writeBatch(session, batch, ask));
        ask = ask && results.some(({ verdict }) => verdict === "duplicate" || verdict === "replay");
        return results;
      } catch (thrown) {
        const refusal = refusalOf(sqlStateOf(thrown));
        if (refusal === "repeat") ask = true;
        else if (refusal !== "collision") throw thrown;
        if (count === MAX_ATTEMPTS) throw thrown;
      }
    }
  };
  const storeAll = async (batch: Batch): Promise<readonly StoreResult[]> => {
    try {
      return await attempt(batch);
    } catch (thrown) {
      if (refusalOf(sqlStateOf(thrown)) !== "row") throw thrown;
      return storeWithout(batch, await invalidPayloads(connection, batch));
    }
  };
  /** Leaves out what the database refuses: the rows found, or else halves the batch until one row is left. */
  const storeWithout = async (batch: Batch, found: ReadonlySet<number>): Promise<readonly StoreResult[]> => {
    const { rows, refused } = batch;
    if (found.size > 0) return storeAll({ ...batch, refused: refused.union(found) });
    if (rows.length <= 1) return attempt({ ...batch, refused: new Set(rows.keys()) });
    const half = Math.ceil(rows.length / 2);
    const part = (from: number, to: number): Pick<Batch, "rows" | "refused"> => ({
      rows: rows.slice(from, to),
      refused: new Set([...refused].filter((index) => index >= from && index < to).map((index) => index - from)),
    });
    const first = await storeAll({ ...batch, ...part(0, half) });
    const rest = { ...batch, rejects: [], context: { ...batch.context, events: [] } };
    return [...first, ...(await storeAll({ ...rest, ...part(half, rows.length) }))];
  };
  return {
    ready: () => reachable,
    storeBatch: (rows, rejects, context) =>
      inTurn(() => storeAll({ rows, rejects, context, refused: new Set(), quarantineMaxBytes })),
    saveDevices: (devices) => inTurn(() => connection.transaction((session) => writeDevices(session, devices))),
    totals: () => inTurn(() => readTotals(connection)),
    close: async () => {
      await last;
      await connection.close();
    },
  };
}

/** Indices of the rows whose payload is no jsonb for this database; those known already are left out. */
async function invalidPayloads(connection: StoreConnection, { rows, refused }: Batch): Promise<ReadonlySet<number>> {
  const payloads = rows.map(({ fields }) => Buffer.from(fields.payload).toString("utf8"));
  const found = await connection.transaction((session) =>
    session.query(
      `SELECT position::integer - 1 AS index FROM unnest($1::text[]) WITH ORDINALITY AS given (payload, position)
       WHERE NOT pg_input_is_valid(payload, 'jsonb')`,
      [payloads],
    ),
  );
  return new Set(found.map(({ index }) => Number(index)).filter((index) => !refused.has(index)));
}

async function readTotals(connection: StoreConnection): Promise<StoreTotals> {
  const [total] = await connection.transaction((session) => session.query("SELECT * FROM store_total"));
  return {
    accepted: Number(total?.accepted),
    quarantined: Number(total?.quarantined),
    quarantineBytes: Number(total?.quarantine_bytes),
  };
}

function sqlStateOf(thrown: unknown): string {
  return thrown instanceof pg.DatabaseError ? (thrown.code ?? "") : "";
}
