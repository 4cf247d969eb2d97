import { createPublicKey, type KeyObject } from "node:crypto";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { normalSerial } from "../serial.ts";
import { type AppendFile, openAppendFile } from "./append-file.ts";
import { type LedgerHead, signHead } from "./head.ts";
import { confirmedPart, confirmedRecords, corrupt, textIfThere } from "./read.ts";
import { hashOf, type LedgerEntry, type LedgerRecord, NO_RECORD, renderRecord } from "./record.ts";

/** What {@link openLedger} needs. */
export interface LedgerOptions {
  /** One record a line. */
  readonly file: string;
  /** Signed head of the file. */
  readonly headFile: string;
  /** P-256, private. */
  readonly signingKey: KeyObject;
  readonly clock: () => Date;
}

/** A log to which records are added, and of which nothing is taken away. One process at a time has it open. */
export interface Ledger {
  /**
   * Adds a record. Resolves when it and its head are on the disk: do what it says after that.
   * @throws LEDGER_CORRUPT when somebody else wrote to the file; what the file system throws
   */
  readonly append: (entry: LedgerEntry) => Promise<LedgerRecord>;
  /** Every record of a certificate, in order. The serial number is hex of any form. */
  readonly findBySerial: (serial: string) => readonly LedgerRecord[];
  readonly records: () => readonly LedgerRecord[];
  /** The file and its head, of one moment. */
  readonly evidence: () => { readonly text: string; readonly head: string };
  readonly close: () => void;
}

/**
 * Opens a ledger, or makes an empty one where neither file is. A last record that was never confirmed (its writer died before
 * the head was written, and so before `append` resolved) is cut off, whole or torn.
 * @throws LEDGER_CORRUPT when a file is missing, or anything else does not fit the signed head
 */
export async function openLedger({ file, headFile, signingKey, clock }: LedgerOptions): Promise<Ledger> {
  const publicKey = createPublicKey(signingKey);
  const disk = openAppendFile(file);
  try {
    const known = textIfThere(headFile)?.trimEnd();
    let head = known ?? (await newHead(disk, clock, signingKey));
    if (known === undefined) writeFileAtomic(headFile, `${head}\n`);
    await cutUnconfirmed(disk, head, publicKey);
    const records = await confirmedRecords(disk.text(), head, publicKey, file);
    const bySerial = new Map<string, LedgerRecord[]>();
    for (const record of records) enter(bySerial, record);
    let last = hashOfLast(disk.text());

    const write = async (entry: LedgerEntry): Promise<LedgerRecord> => {
      const at = clock().toISOString();
      const record = { ...entry, serial: normalSerial(entry.serial), seq: records.length + 1, prev: last, at };
      const line = renderRecord(record);
      const next = { seq: record.seq, hash: hashOf(line), at };
      const signed = await signHead(next, signingKey);
      disk.append(`${line}\n`, () => writeFileAtomic(headFile, `${signed}\n`));
      [last, head] = [next.hash, signed];
      records.push(record);
      enter(bySerial, record);
      return record;
    };
    let queue: Promise<unknown> = Promise.resolve();
    return {
      append: (entry) => {
        const result = queue.then(() => write(entry));
        queue = result.catch(() => undefined);
        return result;
      },
      findBySerial: (serial) => bySerial.get(normalSerial(serial)) ?? [],
      records: () => records,
      evidence: () => ({ text: disk.text(), head }),
      close: disk.close,
    };
  } catch (thrown) {
    disk.close();
    throw thrown;
  }
}

async function newHead(disk: AppendFile, clock: () => Date, signingKey: KeyObject): Promise<string> {
  if (disk.text().includes("\n")) throw corrupt("its head is missing");
  return signHead({ seq: 0, hash: NO_RECORD, at: clock().toISOString() }, signingKey);
}

/** One record can be beyond the head, since the next is not written before the head of the one before. */
async function cutUnconfirmed(disk: AppendFile, head: string, publicKey: KeyObject): Promise<void> {
  const confirmed = await confirmedPart(disk.text(), head, publicKey);
  const [unconfirmed, ...more] = disk.text().slice(confirmed.length).split("\n");
  const onlyOne = more.length === 0 || (more.length === 1 && more[0] === "");
  if (unconfirmed === "" && more.length === 0) return;
  if (onlyOne) disk.cut(confirmed);
}

function enter(bySerial: Map<string, LedgerRecord[]>, record: LedgerRecord): void {
  const held = bySerial.get(record.serial);
  if (held === undefined) bySerial.set(record.serial, [record]);
  else held.push(record);
}

function hashOfLast(text: string): LedgerHead["hash"] {
  const line = text.split("\n").at(-2);
  return line === undefined ? NO_RECORD : hashOf(line);
}
