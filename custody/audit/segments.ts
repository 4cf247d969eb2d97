import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { isMissing } from "./files.ts";
import { MAX_LINE_BYTES } from "./record.ts";

const NAME = /^audit-(\d{12})\.ndjson$/;
const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 10;

/** One file of the log. */
export interface Segment {
  readonly name: string;
  /** Number of its first record. */
  readonly first: number;
}

/** A line, without its line feed. */
export interface Line {
  readonly bytes: Buffer;
  /** Where the next line begins. */
  readonly end: number;
  /** False for a last one that no line feed ends, and for the beginning of one that is too long. */
  readonly whole: boolean;
}

/** Name of the segment that begins with this record. */
export function segmentName(first: number): string {
  return `audit-${String(first).padStart(12, "0")}.ndjson`;
}

/**
 * The segments of a folder in the order of their records; none where there is no folder.
 * @throws what the file system throws
 */
export async function listSegments(folder: string): Promise<readonly Segment[]> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
  return names
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1];
      return first === undefined ? [] : [{ name, first: Number(first) }];
    })
    .sort((a, b) => a.first - b.first);
}

/** The segment in which a record is, if it is in any. */
export function segmentOf(segments: readonly Segment[], seq: number): Segment | undefined {
  return segments.findLast(({ first }) => first <= seq);
}

/**
 * The lines of a file, a chunk of it at a time in memory. Ends after a line that is too long.
 * @throws what the file system throws
 */
export async function* readLines(file: string): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
      end += at + 1 - from;
      yield { bytes: bytes.subarray(from, at), end, whole: at - from < MAX_LINE_BYTES };
      from = at + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length >= MAX_LINE_BYTES) break;
  }
  if (rest.length > 0) yield { bytes: rest, end: end + rest.length, whole: false };
}
