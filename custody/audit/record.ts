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

/** What a keyring can do to a generation; `destroying` says that the key is about to go. */
const GENERATION_CHANGES = [
  "generated",
  "imported",
  "activated",
  "retired",
  "destroying",
  "destroyed",
  "compromised",
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
    keyIds: z.array(keyId).min(1).max(1024).readonly(),
    state: sha256,
    statement: z.json(),
  },
  /** The keys were let go of. */
  sealed: { reason: text },
  /** `count` requests that were turned away since the last such record. */
  refused: { client: text, reason: z.enum(REFUSALS), count: z.int().positive() },
  /** The key to which packages of ceremonies are sealed was made. */
  "import-key": { keyId },
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
const schemas = Object.fromEntries(
  Object.entries(DETAILS).map(([kind, detail]) => [
    kind,
    z.strictObject({ ...place, ...detail, kind: z.literal(kind), actor: text }),
  ]),
) as Readonly<Record<string, z.ZodType>>;

/**
 * An entry in its place.
 * @throws CUSTODY_AUDIT_ENTRY
 */
export function placeEntry({ kind, actor, detail }: AuditEntry | SessionEntry, where: AuditPlace): AuditRecord {
  try {
    return checked({ ...detail, ...where, kind, actor });
  } catch (cause) {
    throw auditErrors.error("CUSTODY_AUDIT_ENTRY", `no record of kind "${kind}": ${messageOf(cause)}`, { path: kind });
  }
}

/**
 * A record as its line, without the line feed: JSON with its members in ascending order.
 * @throws CUSTODY_AUDIT_ENTRY when it is longer than 256 KiB
 */
export function renderRecord(record: AuditRecord): string {
  const line = stableJson(record);
  if (Buffer.byteLength(line) < MAX_LINE_BYTES) return line;
  const message = `a record of kind "${record.kind}" has ${Buffer.byteLength(line)} bytes, accepted: less than ${MAX_LINE_BYTES}`;
  throw auditErrors.error("CUSTODY_AUDIT_ENTRY", message, { path: record.kind });
}

/**
 * Reads one line.
 * @throws TypeError, SyntaxError
 */
export function parseRecord(line: string): AuditRecord {
  return checked(JSON.parse(line));
}

function checked(value: unknown): AuditRecord {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const schema = typeof kind === "string" && Object.hasOwn(schemas, kind) ? schemas[kind] : undefined;
  if (schema === undefined) throw new TypeError(`is of the unknown kind ${JSON.stringify(kind)}`);
  const result = schema.safeParse(value);
  if (result.success) return result.data as AuditRecord;
  const [issue] = result.error.issues;
  throw new TypeError(`"${issue?.path.join(".") || "record"}": ${issue?.message}`);
}
