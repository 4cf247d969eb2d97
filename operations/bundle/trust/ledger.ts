import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { writePrivate } from "../../../stacks/host/files.ts";
import { digestOf } from "../format/manifest.ts";
import { type Envelope, envelopeSchema } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { digestField } from "./fields.ts";
import { type Statement, statementOf } from "./statement.ts";
import { strictJson } from "./strict-json.ts";

const lineSchema = z.strictObject({
  /** Digest of the line before it. */
  previous: digestField.nullable(),
  statement: envelopeSchema,
});

/** What the ledger is held to: a ledger that lost its end would give out its versions again. */
const headSchema = z.strictObject({ lines: z.int().min(1), digest: digestField });

/** A statement that was signed. */
export interface LedgerEntry {
  readonly envelope: Envelope;
  readonly statement: Statement;
}

/** What was signed, oldest first, and the text that says so. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  readonly lines: readonly string[];
}

/** The files of a ledger of signed statements. */
export function ledgerFiles(folder: string) {
  return {
    ledger: join(folder, "ledger.jsonl"),
    head: join(folder, "ledger.head.json"),
    lock: join(folder, "ledger.lock"),
  } as const;
}

/**
 * Reads the ledger: every line follows the one before it, no version is there with two contents, and its end is there.
 * @throws BUNDLE_LEDGER_CORRUPT
 */
export function readLedger(folder: string): Ledger {
  const files = ledgerFiles(folder);
  const text = existsSync(files.ledger) ? readFileSync(files.ledger, "utf8") : "";
  if (text !== "" && !text.endsWith("\n")) throw corrupt(files.ledger, "its last line is cut short");
  const lines = text.split("\n").slice(0, -1);
  const entries: LedgerEntry[] = [];
  for (const [index, line] of lines.entries()) entries.push(entryOf(line, lines[index - 1], entries, files.ledger));
  assertEnd(lines, files);
  return { entries, lines };
}

/**
 * Writes one more line, down to the disk before anybody has the signature. Killed on the way, the ledger is the old or the new one.
 * @throws BUNDLE_LEDGER_CORRUPT for what would not follow, STATE_UNWRITABLE
 */
export function appendLedger(folder: string, { entries, lines }: Ledger, envelope: Envelope): void {
  const files = ledgerFiles(folder);
  const last = lines.at(-1);
  const line = stableJson({ previous: last === undefined ? null : digestOf(Buffer.from(last)), statement: envelope });
  entryOf(line, last, entries, files.ledger);
  writePrivate(files.ledger, [...lines, line].map((each) => `${each}\n`).join(""));
  writePrivate(files.head, `${stableJson({ lines: lines.length + 1, digest: digestOf(Buffer.from(line)) })}\n`);
}

function entryOf(line: string, before: string | undefined, earlier: readonly LedgerEntry[], path: string): LedgerEntry {
  const { previous, statement: envelope } = strictJson(lineSchema, Buffer.from(line), (why) => corrupt(path, why));
  if (previous !== (before === undefined ? null : digestOf(Buffer.from(before)))) {
    throw corrupt(path, "a line does not follow the one before it");
  }
  const entry = { envelope, statement: statementOf(envelope) };
  if (!mayFollow(earlier, entry)) {
    throw corrupt(path, `version ${entry.statement.predicate.version} is there with two contents, or is no newer one`);
  }
  return entry;
}

/**
 * Whether a statement may be signed after others: it is the same content as one of them, for more signatures on it, or its version is
 * newer than any.
 */
export function mayFollow(earlier: readonly LedgerEntry[], { envelope, statement }: LedgerEntry): boolean {
  const { version } = statement.predicate;
  const same = earlier.find((each) => each.statement.predicate.version === version);
  return same === undefined ? version > newestVersion(earlier) : same.envelope.payload === envelope.payload;
}

/** The highest version that was signed; 0 where none was. */
export function newestVersion(entries: readonly LedgerEntry[]): number {
  return Math.max(0, ...entries.map(({ statement }) => statement.predicate.version));
}

/** The head is written after the ledger: of two that were written at once, it may lack the last line. */
function assertEnd(lines: readonly string[], { ledger, head: path }: ReturnType<typeof ledgerFiles>): void {
  if (!existsSync(path)) {
    if (lines.length <= 1) return;
    throw corrupt(path, `the file is not there, and the ledger has ${lines.length} lines`);
  }
  const bytes = readFileSync(path);
  const head = strictJson(headSchema, bytes.subarray(0, -1), (why) => corrupt(path, why));
  const end = lines[head.lines - 1];
  const isEnd = end !== undefined && digestOf(Buffer.from(end)) === head.digest && lines.length - head.lines <= 1;
  if (!isEnd)
    throw corrupt(
      ledger,
      `it has ${lines.length} lines, and does not end as it did when its line ${head.lines} was written`,
    );
}

function corrupt(path: string, why: string) {
  return bundleTrustErrors.error("BUNDLE_LEDGER_CORRUPT", why, { path });
}
