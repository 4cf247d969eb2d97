/** One message of the Postgres protocol 3.0 as a client sent it: type byte, length, body. */
export type Frame = Buffer;

/** Why a byte stream is no Postgres protocol; the connection ends. */
export class FrameError extends Error {}

const HEADER_BYTES = 5;
/** Postgres' own limit for messages that are always short (PQ_SMALL_MESSAGE_LIMIT). */
const SMALL_MESSAGE_BYTES = 10_000;
const LARGE_TYPES = "QPBFdp";
const SMALL_TYPES = "CDEHSXcf";

/** The type byte of a frame, as a letter. */
export function typeOf(frame: Frame): string {
  return String.fromCharCode(frame[0] ?? 0);
}

/** Cuts a byte stream into frames. */
export interface FrameReader {
  /**
   * Frames that are complete with these bytes.
   * @throws FrameError for an unknown type or a length that is not allowed, before the body is waited for
   */
  readonly push: (chunk: Buffer) => Frame[];
}

/** A reader of typed messages, each of at most `maxBytes`. */
export function createFrameReader(maxBytes: number): FrameReader {
  let chunks: Buffer[] = [];
  let size = 0;
  return {
    push: (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      const first = chunks[0] ?? chunk;
      const wanted = chunks.length === 1 || first.length >= HEADER_BYTES ? frameBytes(first, maxBytes) : HEADER_BYTES;
      if (size < wanted) return [];
      const bytes = chunks.length === 1 ? first : Buffer.concat(chunks, size);
      const { frames, rest } = split(bytes, maxBytes);
      chunks = rest.length > 0 ? [rest] : [];
      size = rest.length;
      return frames;
    },
  };
}

function split(bytes: Buffer, maxBytes: number): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let offset = 0;
  while (bytes.length - offset >= HEADER_BYTES) {
    const end = offset + frameBytes(bytes.subarray(offset), maxBytes);
    if (end > bytes.length) break;
    frames.push(bytes.subarray(offset, end));
    offset = end;
  }
  return { frames, rest: bytes.subarray(offset) };
}

/** Bytes of the frame that begins here, header included; the header's size while it is not there yet. */
function frameBytes(bytes: Buffer, maxBytes: number): number {
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
  const type = String.fromCharCode(bytes[0] ?? 0);
  const length = bytes.readUInt32BE(1);
  const limit = LARGE_TYPES.includes(type) ? maxBytes : SMALL_MESSAGE_BYTES;
  if (!LARGE_TYPES.includes(type) && !SMALL_TYPES.includes(type)) throw new FrameError("unknown message type");
  if (length < 4 || length > limit) throw new FrameError(`message length ${length} is not within 4..${limit}`);
  return length + 1;
}

/** The zero-terminated text that begins at `offset`; the rest of the frame where the terminator is missing. */
export function readText(frame: Buffer, offset: number): string {
  const end = frame.indexOf(0, offset);
  return frame.toString("utf8", offset, end < 0 ? frame.length : end);
}

/** A frame of the given type. */
export function frame(type: string, body: Uint8Array | string = ""): Frame {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const result = Buffer.allocUnsafe(HEADER_BYTES + bytes.length);
  result.write(type, 0, "latin1");
  result.writeUInt32BE(bytes.length + 4, 1);
  result.set(bytes, HEADER_BYTES);
  return result;
}
