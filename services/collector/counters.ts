import type { Rejection } from "../../protocol/verdict.ts";
import type { DropReason } from "./intake/dispatcher.ts";

/** What the collector counted since it started. */
export interface CollectorCounters {
  received: number;
  accepted: number;
  /** Of those accepted. */
  late: number;
  /** By verdict; those never given are left out. */
  readonly rejected: Partial<Record<Rejection, number>>;
  /** Without a verdict, to be sent again. */
  readonly dropped: Record<DropReason, number>;
  batches: number;
  receipts: number;
}

/** All zero. */
export function createCounters(): CollectorCounters {
  return {
    received: 0,
    accepted: 0,
    late: 0,
    rejected: {},
    dropped: { overflow: 0, unlisted: 0, fault: 0 },
    batches: 0,
    receipts: 0,
  };
}
