import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { certsErrors } from "../errors.ts";
import { readHead } from "./head.ts";
import { type LedgerRecord, parseRecord } from "./record.ts";
import { verifyLedger } from "./verify.ts";

/** Where a ledger is, and who signs its heads. */
export interface LedgerPlace {
  /** One record a line. */
  readonly file: string;
  /** Signed head of the file. */
  readonly headFile: string;
  /** P-256. */
  readonly publicKey: KeyObject;
}

/**
 * The confirmed records of a ledger, which somebody may be adding to meanwhile. Changes nothing, and makes no file.
 * @throws LEDGER_CORRUPT when they do not fit the signed head
 */
export async function readLedger({ file, headFile, publicKey }: LedgerPlace): Promise<readonly LedgerRecord[]> {
  // The head first: a record is in the file before the head counts it, so whatever the head counts is there.
  const head = textIfThere(headFile);
  const text = textIfThere(file) ?? "";
  if (head === undefined && text.includes("\n")) throw corrupt("its head is missing");
  if (head === undefined) return [];
  return confirmedRecords(await confirmedPart(text, head, publicKey), head, publicKey, file);
}

/** The records that a head counts, without what came after them; the whole text where they are not all there. */
export async function confirmedPart(text: string, head: string, publicKey: KeyObject): Promise<string> {
  const signed = await readHead(head, publicKey);
  const lines = text.split("\n");
  if (signed === null || lines.length < signed.seq + 1) return text;
  return lines
    .slice(0, signed.seq)
    .map((line) => `${line}\n`)
    .join("");
}

/** @throws LEDGER_CORRUPT */
export async function confirmedRecords(
  text: string,
  head: string,
  publicKey: KeyObject,
  file: string,
): Promise<LedgerRecord[]> {
  const [first] = await verifyLedger({ text, head, publicKey });
  if (first !== undefined) throw corrupt(`"${file}": ${first.message}`);
  return text.split("\n").slice(0, -1).map(parseRecord);
}

/** A file's text, or undefined where there is no such file. */
export function textIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** What is thrown for a ledger that was changed. */
export function corrupt(message: string): Error {
  return certsErrors.error("LEDGER_CORRUPT", `the ledger does not fit its head: ${message}`, { path: "ledger" });
}
