import type { Rejection } from "../../protocol/verdict.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Message } from "./intake/queue.ts";
import type { AcceptedFields } from "./verify/packing.ts";

/** A message that passed every check but those that the database makes. */
export interface StoreRow {
  readonly message: Message;
  /** SHA-256 of the envelope's bytes. */
  readonly digest: Uint8Array;
  readonly fields: AcceptedFields;
  /** Version of the allowlist that its signature was checked with. */
  readonly allowlistVersion: number;
}

/** A message that a check has rejected; its bytes go to quarantine. */
export interface RejectRow {
  readonly message: Message;
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
  readonly verdict: Rejection;
}

/** What a batch is stored with. */
export interface BatchContext {
  /** The collector's clock, milliseconds since the Unix epoch: the floor and the age of a boot are reckoned by it. */
  readonly nowMs: number;
  readonly events: readonly SecurityEvent[];
}

/** What the store decided of a row. */
export type StoreResult =
  | { readonly verdict: "accepted"; readonly late: boolean }
  | { readonly verdict: "replay" | "duplicate" | "bad-payload" };

/** A sensor as the allowlist has it. */
export interface StoredDevice {
  /** Lower-case hex. */
  readonly sensorId: string;
  readonly maker: string;
  /** Uncompressed P-256 point; null for a revoked sensor, of which the allowlist gives no key. */
  readonly publicKey: Uint8Array | null;
  readonly revoked: boolean;
}

/** Sums since the database was made. */
export interface StoreTotals {
  /** Rows in `telemetry`, those that retention has taken since included. */
  readonly accepted: number;
  readonly quarantined: number;
  /** Bytes in quarantine now. */
  readonly quarantineBytes: number;
}
