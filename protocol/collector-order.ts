/** Age in milliseconds of a boot's first message from which on the boot makes a sensor's floor: 30 days. */
export const FLOOR_AGE_MS = 30 * 86_400_000;

/** An accepted message is late when it is more than this many sequence numbers behind its boot's greatest. */
export const LATE_AFTER = 63;

/** What the collectors have stored of one sensor: the reference for what the database decides. Plain JSON. */
export interface SensorOrder {
  /** Digest by `bootId/seq`. */
  readonly stored: Readonly<Record<string, string>>;
  readonly boots: Readonly<Record<number, SeenBoot>>;
}

/** What is remembered of one boot. */
export interface SeenBoot {
  /** When its first message was stored, by the collector's clock, milliseconds since the Unix epoch. */
  readonly firstSeenAtMs: number;
  readonly greatestSeq: number;
}

/** A message that passed every other check. */
export interface OrderedMessage {
  readonly bootId: number;
  readonly seq: number;
  /** Digest of the envelope; equal digests are the same bytes. */
  readonly digest: string;
  /** The collector's clock, milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** What the collector decides when it stores. */
export interface OrderDecision {
  readonly verdict: "accepted" | "replay" | "duplicate";
  /** Only ever true for `accepted`. */
  readonly late: boolean;
  readonly next: SensorOrder;
}

const EMPTY: SensorOrder = { stored: {}, boots: {} };

/**
 * Decides whether a message is stored: everything never stored is, but below the sensor's floor, where nothing is.
 * What is stored stays a `duplicate` below the floor too, for as long as its row in the index is kept.
 */
export function decideOrder(state: SensorOrder | undefined, message: OrderedMessage): OrderDecision {
  const { stored, boots } = state ?? EMPTY;
  const { bootId, seq, digest, nowMs } = message;
  const key = `${bootId}/${seq}`;
  const before = stored[key];
  if (before !== undefined) return refused(before === digest ? "duplicate" : "replay", { stored, boots });
  if (bootId < floorOf(boots, nowMs)) return refused("replay", { stored, boots });
  const boot = boots[bootId] ?? { firstSeenAtMs: nowMs, greatestSeq: seq };
  const late = Object.keys(boots).some((known) => Number(known) > bootId) || seq < boot.greatestSeq - LATE_AFTER;
  const greatestSeq = Math.max(boot.greatestSeq, seq);
  return {
    verdict: "accepted",
    late,
    next: { stored: { ...stored, [key]: digest }, boots: { ...boots, [bootId]: { ...boot, greatestSeq } } },
  };
}

/** The greatest boot that was seen 30 days ago, or -1 where there is none. */
function floorOf(boots: SensorOrder["boots"], nowMs: number): number {
  const old = Object.entries(boots).filter(([, { firstSeenAtMs }]) => firstSeenAtMs <= nowMs - FLOOR_AGE_MS);
  return Math.max(-1, ...old.map(([bootId]) => Number(bootId)));
}

function refused(verdict: "replay" | "duplicate", next: SensorOrder): OrderDecision {
  return { verdict, late: false, next };
}
