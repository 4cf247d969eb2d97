import type { StoreSession } from "./store-connection.ts";
import { type OrderPlan, planOrder, reachesBelowFloor } from "./store-order.ts";
import { writeEvents, writeQuarantine } from "./store-quarantine.ts";
import { copyRaw, copySeen, copyTelemetry, type WritableRow, writableRow } from "./store-rows.ts";
import { readBoots, readStored, writeSensors } from "./store-sensors.ts";
import type { BatchContext, RejectRow, StoreResult, StoreRow } from "./store-types.ts";

/** What one transaction stores. */
export interface Batch {
  readonly rows: readonly StoreRow[];
  /** Indices of rows that the database has refused. */
  readonly refused: ReadonlySet<number>;
  readonly rejects: readonly RejectRow[];
  readonly context: BatchContext;
  readonly quarantineMaxBytes: number;
}

/**
 * Stores a batch in the transaction of `session`. Unless `ask`, it takes every key for a new one, which is half of the work; the unique index
 * then refuses a batch in which one is not, and the caller tries again with `ask`.
 */
export async function writeBatch(session: StoreSession, batch: Batch, ask: boolean): Promise<readonly StoreResult[]> {
  const { rows, refused, context, quarantineMaxBytes } = batch;
  const judged = rows.flatMap((row, index) => (refused.has(index) ? [] : [row]));
  const { results, sensors } = await decide(session, judged, context.nowMs, ask);

  const written = judged.map((row, index) => {
    const result = results[index];
    return result?.verdict === "accepted" ? writableRow(row, result.late) : undefined;
  });
  const accepted = written.filter((row) => row !== undefined);
  if (accepted.length > 0) await writeAccepted(session, accepted);
  if (sensors.length > 0) await writeSensors(session, sensors, (index) => written[index], context.nowMs);

  const inOrder = mergeRefused(rows.length, refused, results);
  const quarantined = [...batch.rejects, ...rows.flatMap((row, index) => rejectOf(row, inOrder[index]))];
  if (quarantined.length > 0) await writeQuarantine(session, quarantined, quarantineMaxBytes);
  if (context.events.length > 0) await writeEvents(session, context.events);
  return inOrder;
}

async function decide(
  session: StoreSession,
  rows: readonly StoreRow[],
  nowMs: number,
  ask: boolean,
): Promise<OrderPlan> {
  if (rows.length === 0) return { results: [], sensors: [] };
  const boots = await readBoots(session, rows, nowMs);
  const mustAsk = ask || reachesBelowFloor(rows, boots, nowMs);
  return planOrder(rows, { boots, stored: mustAsk ? await readStored(session, rows) : new Map() }, nowMs);
}

async function writeAccepted(session: StoreSession, rows: readonly WritableRow[]): Promise<void> {
  // The keys first: a batch that has to be tried again has cost least then.
  await session.copy(copySeen(rows));
  await session.copy(copyTelemetry(rows));
  await session.copy(copyRaw(rows));
  await session.query("UPDATE store_total SET accepted = accepted + $1", [rows.length]);
}

function mergeRefused(
  count: number,
  refused: ReadonlySet<number>,
  results: readonly StoreResult[],
): readonly StoreResult[] {
  const judged = results.values();
  return Array.from({ length: count }, (_, index) => {
    const result = refused.has(index) ? undefined : judged.next().value;
    return result ?? { verdict: "bad-payload" };
  });
}

/** A `duplicate` is stored as a row already, and so is no case for the quarantine. */
function rejectOf({ message, digest }: StoreRow, result: StoreResult | undefined): RejectRow[] {
  if (result?.verdict !== "replay" && result?.verdict !== "bad-payload") return [];
  return [{ message, digest, verdict: result.verdict }];
}
