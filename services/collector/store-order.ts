import { FLOOR_AGE_MS, LATE_AFTER } from "../../protocol/collector-order.ts";
import type { StoreResult, StoreRow } from "./store-types.ts";

/** One row of `sensor_boot`. */
export interface BootRow {
  /** Lower-case hex. */
  readonly sensorId: string;
  readonly bootId: number;
  readonly firstSeenAtMs: number;
  readonly greatestSeq: number;
}

/** What the database knows of the sensors of a batch. */
export interface KnownOrder {
  readonly boots: readonly BootRow[];
  /** Digests of those of the batch's keys that are stored, by {@link keyOf}. */
  readonly stored: ReadonlyMap<string, Uint8Array>;
}

/** What is written of one sensor beside its messages. */
export interface SensorUpdate {
  readonly sensorId: string;
  /** Index of the row that is the newest of the sensor by `(boot_id, seq)`, or undefined when a newer one is stored. */
  readonly newest: number | undefined;
  /** Boots that were touched, with their greatest `seq`. */
  readonly boots: readonly { readonly bootId: number; readonly greatestSeq: number }[];
}

/** The decisions over one batch, at the index of their row. */
export interface OrderPlan {
  readonly results: readonly StoreResult[];
  readonly sensors: readonly SensorUpdate[];
}

interface SensorState {
  floor: number;
  greatestBoot: number;
  readonly greatestSeq: Map<number, number>;
  readonly touched: Set<number>;
  newest: number | undefined;
}

/** The key that exactly-once is decided by, as text. */
export function keyOf(row: StoreRow): string {
  return `${row.message.sensorId}/${row.fields.bootId}/${row.fields.seq}`;
}

/** Whether a row lies below its sensor's floor, where what is stored is a `duplicate` and the rest a `replay`. */
export function reachesBelowFloor(rows: readonly StoreRow[], boots: readonly BootRow[], nowMs: number): boolean {
  const sensors = readStates(boots, nowMs);
  return rows.some(({ message, fields }) => fields.bootId < (sensors.get(message.sensorId)?.floor ?? -1));
}

/** Decides over a batch, in its order, as `protocol/collector-order.ts` does message by message. */
export function planOrder(rows: readonly StoreRow[], known: KnownOrder, nowMs: number): OrderPlan {
  const sensors = readStates(known.boots, nowMs);
  const stored = new Map(known.stored);
  const results = rows.map((row, index): StoreResult => {
    const { bootId, seq } = row.fields;
    const key = keyOf(row);
    const before = stored.get(key);
    if (before) return { verdict: Buffer.compare(before, row.digest) === 0 ? "duplicate" : "replay" };
    const state = stateOf(sensors, row.message.sensorId);
    if (bootId < state.floor) return { verdict: "replay" };
    stored.set(key, row.digest);
    return { verdict: "accepted", late: accept(state, bootId, seq, index) };
  });
  return { results, sensors: [...sensors].flatMap(([sensorId, state]) => updateOf(sensorId, state)) };
}

function accept(state: SensorState, bootId: number, seq: number, index: number): boolean {
  const greatestSeq = state.greatestSeq.get(bootId) ?? seq;
  const late = bootId < state.greatestBoot || seq < greatestSeq - LATE_AFTER;
  if (bootId > state.greatestBoot || (bootId === state.greatestBoot && seq >= greatestSeq)) state.newest = index;
  state.greatestBoot = Math.max(state.greatestBoot, bootId);
  state.greatestSeq.set(bootId, Math.max(greatestSeq, seq));
  state.touched.add(bootId);
  return late;
}

function readStates(boots: readonly BootRow[], nowMs: number): Map<string, SensorState> {
  const sensors = new Map<string, SensorState>();
  for (const { sensorId, bootId, firstSeenAtMs, greatestSeq } of boots) {
    const state = stateOf(sensors, sensorId);
    state.greatestSeq.set(bootId, greatestSeq);
    state.greatestBoot = Math.max(state.greatestBoot, bootId);
    if (firstSeenAtMs <= nowMs - FLOOR_AGE_MS) state.floor = Math.max(state.floor, bootId);
  }
  return sensors;
}

function stateOf(sensors: Map<string, SensorState>, sensorId: string): SensorState {
  const known = sensors.get(sensorId);
  if (known) return known;
  const state = { floor: -1, greatestBoot: -1, greatestSeq: new Map(), touched: new Set<number>(), newest: undefined };
  sensors.set(sensorId, state);
  return state;
}

function updateOf(sensorId: string, { touched, greatestSeq, newest }: SensorState): SensorUpdate[] {
  if (touched.size === 0) return [];
  const boots = [...touched].map((bootId) => ({ bootId, greatestSeq: greatestSeq.get(bootId) ?? 0 }));
  return [{ sensorId, newest, boots }];
}
