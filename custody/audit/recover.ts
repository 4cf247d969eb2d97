import type { KeyObject } from "node:crypto";
import { stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { hashOf, NO_RECORD } from "../../certs/ledger/record.ts";
import { messageOf } from "../../shared/errors.ts";
import type { DiskPlace } from "./disk.ts";
import { auditErrors } from "./errors.ts";
import { readHead, type SignedAuditHead } from "./head.ts";
import { HEAD_FILE, readSlots, type SlotIndex } from "./head-file.ts";
import { type AuditRecord, parseRecord } from "./record.ts";
import { listSegments, readLines, type Segment, segmentName, segmentOf } from "./segments.ts";

/** Most records of one commit, and so most that can be beyond a head. */
export const MAX_COMMIT_RECORDS = 256;

/** A log as its confirmed head has it. */
export interface Recovered extends Pick<DiskPlace, "segment" | "length" | "slot"> {
  /** Of the last record; 0 when there is none. */
  readonly seq: number;
  readonly hash: string;
  /** The last records of kind `generation` that the head points at, oldest first. */
  readonly generations: readonly AuditRecord[];
  /** Bytes that were cut off, because their writer died before a head counted them. */
  readonly cutBytes: number;
}

/**
 * Finds where a log ends, and cuts off what no head counts: the records of one commit, whole or torn. Reads the last segment
 * and those with the last generations; the rest is for `verifyAuditLog`.
 * @throws CUSTODY_AUDIT_CORRUPT when it does not fit its head; what the file system throws
 */
export async function recoverLog(folder: string, storeKey: KeyObject): Promise<Recovered> {
  const segments = await listSegments(folder);
  const { head, slot } = await newestHead(folder, storeKey);
  if (head === null) return startAnew(folder, segments);
  const last = segments.find(({ name }) => name === head.segment);
  if (last === undefined) throw corrupt(`"${head.segment}", which the head names, is missing`);
  const { length, beyond } = await confirmedPart(folder, last, head);
  const later = segments.filter(({ first }) => first > last.first);
  const [next] = later;
  if (later.length > 1 || (next !== undefined && next.first !== head.seq + 1)) {
    throw corrupt(`"${later.at(-1)?.name}" is beyond the head, which says ${head.seq} records`);
  }
  const more = next === undefined ? 0 : await countLines(join(folder, next.name), MAX_COMMIT_RECORDS + 1);
  if (beyond + more > MAX_COMMIT_RECORDS) {
    throw corrupt(`more than ${MAX_COMMIT_RECORDS} records are beyond the head, which says ${head.seq}`);
  }
  const generations = await Promise.all(head.generations.map((seq) => recordAt(folder, segments, seq)));
  const cut = await cutTo(join(folder, last.name), length);
  const place = { slot, seq: head.seq, hash: head.hash, generations };
  if (next === undefined) return { ...place, segment: last.name, length, cutBytes: cut };
  return { ...place, segment: next.name, length: 0, cutBytes: cut + (await cutTo(join(folder, next.name), 0)) };
}

async function newestHead(
  folder: string,
  storeKey: KeyObject,
): Promise<{ readonly head: SignedAuditHead | null; readonly slot: SlotIndex }> {
  const slots = await readSlots(join(folder, HEAD_FILE));
  const heads = await Promise.all(
    slots.map(async (slot) => (slot.state === "filled" ? readHead(slot.text, storeKey) : null)),
  );
  const [a = null, b = null] = heads;
  if (a === null && b === null && slots.some(({ state }) => state !== "blank")) {
    throw corrupt(`"${HEAD_FILE}" holds no head that this store vouches for`);
  }
  const slot = (a?.seq ?? 0) > (b?.seq ?? 0) ? 0 : 1;
  return { head: slot === 0 ? a : b, slot };
}

/** Before its first head a log has at most one record, the session's, which nobody was told of. */
async function startAnew(folder: string, segments: readonly Segment[]): Promise<Recovered> {
  const segment = segmentName(1);
  const [first, ...others] = segments;
  if (others.length > 0 || (first !== undefined && first.name !== segment)) throw corrupt("its head is missing");
  const lines = first === undefined ? 0 : await countLines(join(folder, segment), 2);
  if (lines > 1) throw corrupt("its head is missing");
  const cutBytes = first === undefined ? 0 : await cutTo(join(folder, segment), 0);
  return { segment, length: 0, slot: 1, seq: 0, hash: NO_RECORD, generations: [], cutBytes };
}

async function confirmedPart(
  folder: string,
  { name, first }: Segment,
  head: SignedAuditHead,
): Promise<{ readonly length: number; readonly beyond: number }> {
  let [seq, length, beyond] = [first - 1, 0, 0];
  let hash: string | undefined;
  for await (const { bytes, end, whole } of readLines(join(folder, name))) {
    if (seq >= head.seq) {
      beyond += 1;
      if (beyond > MAX_COMMIT_RECORDS) break;
      continue;
    }
    seq += 1;
    const { prev } = whole ? recordOf(bytes, name) : { prev: "" };
    if (!whole || (hash !== undefined && prev !== hash))
      throw corrupt(`record ${seq} does not follow the one before it`);
    hash = hashOf(bytes);
    length = end;
  }
  if (seq === head.seq && hash === head.hash) return { length, beyond };
  throw corrupt(`record ${seq} of "${name}" is not the one that the head names, which is ${head.seq}`);
}

async function recordAt(folder: string, segments: readonly Segment[], wanted: number): Promise<AuditRecord> {
  const segment = segmentOf(segments, wanted);
  let seq = (segment?.first ?? 1) - 1;
  if (segment !== undefined) {
    for await (const { bytes } of readLines(join(folder, segment.name))) {
      seq += 1;
      if (seq === wanted) return recordOf(bytes, segment.name);
    }
  }
  throw corrupt(`record ${wanted}, which the head names, is missing`);
}

function recordOf(bytes: Buffer, name: string): AuditRecord {
  try {
    return parseRecord(bytes.toString("utf8"));
  } catch (cause) {
    throw corrupt(`"${name}" holds a line that is no record: ${messageOf(cause)}`);
  }
}

async function countLines(file: string, atMost: number): Promise<number> {
  let lines = 0;
  for await (const _ of readLines(file)) if (++lines >= atMost) break;
  return lines;
}

async function cutTo(file: string, length: number): Promise<number> {
  const { size } = await stat(file);
  if (size > length) await truncate(file, length);
  return size - length;
}

function corrupt(message: string): Error {
  return auditErrors.error("CUSTODY_AUDIT_CORRUPT", `the audit log does not fit its head: ${message}`, {
    path: "audit",
  });
}
