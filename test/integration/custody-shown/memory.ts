import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { Canary } from "../../../operations/verify/search/needles.ts";
import type { Place } from "../../../operations/verify/search/place.ts";

const CHUNK_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Bytes of a private key that X25519 may change: it clears bits of the first and sets one of the last (RFC 7748, section 5). */
const CLAMPED_BYTES = 1;
const HALF_BYTES = 16;
const KEY_BYTES = 32;

/** Memory of processes, by their names, when it is read: every mapping that they can read, but for what they only have from a file. */
export async function* memoriesOf(pids: Readonly<Record<string, number>>): AsyncIterable<Place> {
  for (const [name, pid] of Object.entries(pids)) yield { name, content: mappings(pid) };
}

async function* mappings(pid: number): AsyncIterable<Uint8Array> {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const [, from = "", to = "", rights = "", inode] = /^(\w+)-(\w+) (\S+) \S+ \S+ (\d+)/.exec(line) ?? [];
      if (!rights.startsWith("r") || (rights[1] !== "w" && inode !== "0")) continue;
      yield* stretch(memory, Number.parseInt(from, 16), Number.parseInt(to, 16));
    }
  } finally {
    closeSync(memory);
  }
}

function* stretch(memory: number, from: number, to: number): Iterable<Uint8Array> {
  for (let at = from; at < to; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, to - at));
    const read = readOrNothing(memory, chunk, at);
    // Most of what a process has mapped it never touched.
    if (!chunk.equals(ZEROS)) yield chunk.subarray(0, read);
    at += read || chunk.length;
  }
}

/** Mappings are given back while one reads; those of the kernel cannot be read. */
function readOrNothing(memory: number, chunk: Buffer, at: number): number {
  try {
    return readSync(memory, chunk, 0, chunk.length, at);
  } catch (thrown) {
    if (["EIO", "EFAULT"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return 0;
    throw thrown;
  }
}

/** Whether it is one of custody's X25519 keys, of all that custody has. */
export function hasGenerationKey({ name, cores: [core] }: Canary): boolean {
  return /\/custody\/keys\/[0-9a-f]{16}\.key$/.test(name) && core?.bytes.length === KEY_BYTES;
}

/**
 * What gives an X25519 private key away in memory: either half of it, in this order of bytes and in the other, as bytes and as
 * text of one or two bytes a character. So its DER, its PEM and what X25519 makes of it before use give it away, too.
 */
export function keyInMemory(name: string, raw: Uint8Array): Canary {
  const inner = raw.subarray(CLAMPED_BYTES, raw.length - CLAMPED_BYTES);
  const halves = [inner.subarray(0, HALF_BYTES), inner.subarray(-HALF_BYTES)].map((half) => Buffer.from(half));
  const wide = (["hex", "base64", "base64url"] as const).map((encoding) =>
    Buffer.from(Buffer.from(raw).toString(encoding), "utf16le"),
  );
  return {
    name,
    homes: [],
    cores: [
      ...halves
        .flatMap((half) => [half, Buffer.from(half).reverse()])
        .map((bytes) => ({ what: "key", bytes }) as const),
      ...wide.map((bytes) => ({ what: "text", bytes }) as const),
    ],
  };
}
