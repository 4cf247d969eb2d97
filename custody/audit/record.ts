import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { auditErrors } from "./errors.ts";

/** Longest line, line feed included. */
export const MAX_LINE_BYTES = 256 * 1024;

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${bytes} bytes in hex`);
const text = z.string().min(1).max(512);
const count = z.int().nonnegative();
const keyId = hex(8);
const sha256 = hex(32);

/**
 * What a keyring can do to a generation; `making` says that a key is about to be made, `destroying` that one is about to go,
 * `withdrawn` that what the record before may say did not happen, `followed` that another custody's state was taken or confirmed.
 */
const GENERATION_CHANGES = [
  "making",
  "withdrawn",
  "generated",
  "imported",
  "activated",
  "retired",
  "destroying",
  "destroyed",
  "compromised",
  "followed",
] as const;

/** Why a request was turned away before any key was touched. */
const REFUSALS = ["rate", "identity", "malformed", "sealed"] as const;

/** What is told, by kind. Of a message that was opened, it tells neither contents nor secrets. */
const DETAILS = {
  /** The log was opened. `publicKey` (SPKI, base64) signs the heads that follow, `vouch` is the store's signature on it. */
  session: { publicKey: z.base64(), vouch: text.max(2048), cutBytes: count },
  /** One batch. `root` is the Merkle root of its items (merkle.ts). */
  decapsulated: {
    client: text,
    use: z.enum(["live", "stored"]),
    keys: z
      .array(z.strictObject({ keyId, opened: count, failed: count }).readonly())
      .max(1024)
      .readonly(),
    unknown: count,
    items: z.int().min(1).max(1024),
    root: sha256,
  },
  /** A change of the keyring. `state` is the SHA-256 of the state file that it leads to, `statement` the change itself. */
  generation: {
    change: z.enum(GENERATION_CHANGES),
    keyIds: z.array(keyId).max(1024).readonly(),
    state: sha256,
    statement: z.custom<object>((value) => typeof value === "object" && value !== null, "must be an object"),
  },
  /** The keys were let go of. */
  sealed: { reason: text },
  /** `count` requests that were turned away since the last such record. */
  refused: { client: text, reason: z.enum(REFUSALS), count: z.int().positive() },
  /** Custody gives its word about a generation, to `actor`. `statement` is the SHA-256 of what it signs. */
  attested: { keyId, statement: sha256 },
} as const;

/** What can be recorded. */
export type AuditKind = keyof typeof DETAILS;

type DetailOf<K extends AuditKind> = Readonly<z.infer<z.ZodObject<(typeof DETAILS)[K], z.core.$strict>>>;

/** What is to be recorded. Records of kind `session` are made by the log alone. */
export type AuditEntry = {
  [K in Exclude<AuditKind, "session">]: {
    readonly kind: K;
    /** Who asked for it: a service's or an operator's name. */
    readonly actor: string;
    readonly detail: DetailOf<K>;
  };
}[Exclude<AuditKind, "session">];

/** What the log itself records when it is opened. */
export interface SessionEntry {
  readonly kind: "session";
  readonly actor: string;
  readonly detail: DetailOf<"session">;
}

/** An entry's place in the chain. */
export interface AuditPlace {
  /** 1 for the first. */
  readonly seq: number;
  /** SHA-256 of the line before, without its line feed, in lower-case hex; 64 zeros for the first. */
  readonly prev: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
}

/** An entry in its place, its detail beside the members that all have. */
export type AuditRecord = {
  [K in AuditKind]: AuditPlace & { readonly kind: K; readonly actor: string } & DetailOf<K>;
}[AuditKind];

const place = { seq: z.int().positive(), prev: sha256, at: z.iso.datetime({ precision: 3 }) };
const recordSchemas = tableOf((kind, detail) => z.strictObject({ ...place, ...detail, kind, actor: text }));
const entrySchemas = tableOf((kind, detail) => z.strictObject({ kind, actor: text, detail: z.strictObject(detail) }));

// Its members are as long as they get.
const LAST_PLACE: AuditPlace = { seq: Number.MAX_SAFE_INTEGER, prev: "0".repeat(64), at: "2026-01-01T00:00:00.000Z" };

/**
 * Refuses an entry that the log does not know, and one of kind `session`, which is the log's own.
 * @throws CUSTODY_AUDIT_ENTRY
 */
export function assertEntry(entry: AuditEntry): void {
  try {
    checked(entrySchemas, entry);
  } catch (cause) {
    throw refused(entry, messageOf(cause));
  }
  const bytes = Buffer.byteLength(renderRecord(placeEntry(entry, LAST_PLACE))) + 1;
  if (entry.kind === ("session" as string)) throw refused(entry, "the log makes them itself");
  if (bytes > MAX_LINE_BYTES) throw refused(entry, `it has ${bytes} bytes, accepted: ${MAX_LINE_BYTES} or less`);
}

/** An entry in its place. */
export function placeEntry({ kind, actor, detail }: AuditEntry | SessionEntry, where: AuditPlace): AuditRecord {
  return { ...detail, ...where, kind, actor } as AuditRecord;
}

/** A record as its line, without the line feed: JSON with its members in ascending order. */
export function renderRecord(record: AuditRecord): string {
  return stableJson(record);
}

/**
 * Reads one line.
 * @throws TypeError, SyntaxError
 */
export function parseRecord(line: string): AuditRecord {
  const record: unknown = JSON.parse(line);
  checked(recordSchemas, record);
  return record as AuditRecord;
}

function tableOf(
  schemaOf: (kind: z.ZodLiteral<string>, detail: z.ZodRawShape) => z.ZodType,
): ReadonlyMap<unknown, z.ZodType> {
  return new Map(Object.entries(DETAILS).map(([kind, detail]) => [kind, schemaOf(z.literal(kind), detail)]));
}

function checked(schemas: ReadonlyMap<unknown, z.ZodType>, value: unknown): void {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const result = schemas.get(kind)?.safeParse(value);
  if (result === undefined) throw new TypeError(`is of the unknown kind ${JSON.stringify(kind)}`);
  if (result.success) return;
  const [issue] = result.error.issues;
  throw new TypeError(`"${issue?.path.join(".") || "record"}": ${issue?.message}`);
}

function refused({ kind }: AuditEntry, why: string): Error {
  return auditErrors.error("CUSTODY_AUDIT_ENTRY", `no record of kind "${kind}": ${why}`, { path: kind });
}
