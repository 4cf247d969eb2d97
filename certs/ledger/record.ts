import { createHash } from "node:crypto";
import { stableJson } from "../../shared/stable-json.ts";

/** What can happen to a certificate. */
export const LEDGER_KINDS = ["issued", "revoked", "refused"] as const;

/** What is told of one certificate. */
export interface LedgerEntry {
  readonly kind: (typeof LEDGER_KINDS)[number];
  /** Lower-case hex without leading zeros; empty where none was given. */
  readonly serial: string;
  /** Common name of the authority. */
  readonly issuer: string;
  /** Common name. */
  readonly subject: string;
  /** `services`, `gateways`, `operators`, `devices` or `authority`. */
  readonly class: string;
  /** RFC 3339, or empty where there is none. */
  readonly notAfter: string;
  /** SHA-256 of the certificate in lower-case hex, or empty where it is not known yet. */
  readonly sha256: string;
  /** Who asked for it. */
  readonly actor: string;
  /** The rule that allowed it, the reason of a revocation by RFC 5280, or that of a refusal. */
  readonly reason: string;
  /** The signed verdict of an enrolment (JWS). @default none */
  readonly verdict?: string | undefined;
}

/** An entry in its place in the chain. */
export interface LedgerRecord extends LedgerEntry {
  /** 1 for the first. */
  readonly seq: number;
  /** SHA-256 of the line before, without its line feed, in lower-case hex; 64 zeros for the first. */
  readonly prev: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
}

/** `prev` of the first record. */
export const NO_RECORD = "0".repeat(64);

const TEXTS = ["serial", "issuer", "subject", "class", "notAfter", "sha256", "actor", "reason", "prev", "at"] as const;

/** A record as its line, without the line feed: JSON with its members in ascending order. */
export function renderRecord(record: LedgerRecord): string {
  return stableJson(record);
}

/** What the next record names its predecessor by. */
export function hashOf(line: string | Uint8Array): string {
  return createHash("sha256").update(line).digest("hex");
}

/**
 * Reads one line.
 * @throws TypeError, SyntaxError
 */
export function parseRecord(line: string): LedgerRecord {
  const record = JSON.parse(line) as LedgerRecord;
  if (typeof record !== "object" || record === null) throw new TypeError("is not a record");
  for (const member of TEXTS) if (typeof record[member] !== "string") throw new TypeError(`has no "${member}"`);
  if (!Number.isSafeInteger(record.seq)) throw new TypeError('has no "seq"');
  if (!LEDGER_KINDS.includes(record.kind)) throw new TypeError(`is of the unknown kind "${record.kind}"`);
  return record;
}
