import { decode, encode } from "cborg";
import { z } from "zod";
import { custodyErrors } from "./errors.ts";
import { KEY_ID } from "./generation.ts";
import { countItems, KEM_USES, type KemUse, RESULT_BYTES } from "./kem-items.ts";
import type { FollowAnswer, FollowQuestion } from "./replicas/answer.ts";
import { CHALLENGE_BYTES } from "./replicas/statement.ts";

/** Longest body of a frame: the state of some thousand generations with their wrapped keys. A batch is far below. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** Most keys in one frame. */
const MAX_WRAPPED_KEYS = 4096;
/** Longest key as a service wraps it. */
const MAX_WRAPPED_BYTES = 8192;

/** Most kinds of refusals in one frame. */
export const MAX_REFUSALS = 32;

/** Why the broker refused requests before custody saw them. */
export const REFUSAL_REASONS = ["rate", "identity", "malformed", "sealed"] as const;

/** Requests of one client that the broker refused for one reason. */
export interface Refusal {
  readonly client: string;
  readonly reason: (typeof REFUSAL_REASONS)[number];
  readonly count: number;
}

/** A batch to open: `items` is n times key id (8) and `enc` (32), for a client whom the broker has identified. */
export interface KemRequest {
  readonly id: number;
  readonly client: string;
  readonly use: KemUse;
  readonly items: Uint8Array;
}

/**
 * What the broker asks of custody: to open a batch, to record what it refused, what to ask the writer (`follow`), to answer one that
 * follows (`state`), to take the writer's answer (`heard`), or (with none of them) whether it is sealed.
 */
export type FrameRequest =
  | KemRequest
  | { readonly id: number; readonly refused: readonly Refusal[] }
  | { readonly id: number; readonly follow: true }
  | { readonly id: number; readonly state: FollowQuestion }
  | { readonly id: number; readonly heard: FollowAnswer }
  | { readonly id: number };

/**
 * What custody answers: `results` is n times a status byte (0 opened, 1 unknown key, 2 decapsulation failed) and the shared
 * secret (32, zeros unless opened). To `follow`, the `question` of a custody that follows, and nothing of a writer; to `state`, the
 * `answer` of a writer. An error judges no message: `sealed`, custody holds no keys now; `unavailable`, with our code.
 */
export type FrameResponse =
  | { readonly id: number; readonly results: Uint8Array }
  | { readonly id: number; readonly question: FollowQuestion }
  | { readonly id: number; readonly answer: FollowAnswer }
  | { readonly id: number; readonly error: "sealed" }
  | { readonly id: number; readonly error: "unavailable"; readonly code: string }
  | { readonly id: number };

const id = z.int().min(0);
const client = z.string().min(1).max(64);
const count = z.int().min(1);
const refusal = z.strictObject({ client, reason: z.enum(REFUSAL_REASONS), count });
const bytes = (least: number, most: number) =>
  z.instanceof(Uint8Array).refine(({ length }) => length >= least && length <= most);
const question = z.strictObject({
  challenge: bytes(CHALLENGE_BYTES, CHALLENGE_BYTES),
  known: z.string().regex(/^[0-9a-f]{64}$/),
});
const answer = z.strictObject({
  statement: z.string().min(1).max(4096),
  introduction: bytes(1, MAX_WRAPPED_BYTES),
  state: z.string().max(MAX_FRAME_BYTES),
  keys: z
    .array(z.strictObject({ keyId: z.string().regex(KEY_ID), wrapped: bytes(1, MAX_WRAPPED_BYTES) }))
    .max(MAX_WRAPPED_KEYS),
});
const requestSchema = z.union([
  z.strictObject({ id, client, use: z.enum(KEM_USES), items: z.instanceof(Uint8Array) }),
  z.strictObject({ id, refused: z.array(refusal).min(1).max(MAX_REFUSALS) }),
  z.strictObject({ id, follow: z.literal(true) }),
  z.strictObject({ id, state: question }),
  z.strictObject({ id, heard: answer }),
  z.strictObject({ id }),
]);
const responseSchema = z.union([
  z.strictObject({ id, results: z.instanceof(Uint8Array) }),
  z.strictObject({ id, question }),
  z.strictObject({ id, answer }),
  z.strictObject({ id, error: z.literal("sealed") }),
  z.strictObject({ id, error: z.literal("unavailable"), code: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/) }),
  z.strictObject({ id }),
]);

/** Whether a message fits into a frame; all but the answer to one that follows always do. */
export function fitsFrame(message: FrameRequest | FrameResponse): boolean {
  return encode(message).length <= MAX_FRAME_BYTES;
}

/** The frame of a request or a response: u32be length, then CBOR. */
export function encodeFrame(message: FrameRequest | FrameResponse): Uint8Array {
  const body = encode(message);
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length);
  frame.set(body, 4);
  return frame;
}

/** @throws CUSTODY_FRAME_MALFORMED */
export function parseRequest(body: Uint8Array): FrameRequest {
  const request = parseBody(body, requestSchema);
  if ("items" in request && countItems(request.items) === null) throw malformed("items are not packed items");
  return request;
}

/** @throws CUSTODY_FRAME_MALFORMED */
export function parseResponse(body: Uint8Array): FrameResponse {
  const response = parseBody(body, responseSchema);
  if ("results" in response && response.results.length % RESULT_BYTES !== 0)
    throw malformed("results are not packed results");
  return response;
}

/** Cuts a stream into frame bodies; never holds more than one frame and one chunk. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;

  /**
   * The bodies that this chunk completes.
   * @throws CUSTODY_FRAME_MALFORMED when a length is 0 or out of bounds
   */
  push(chunk: Buffer): readonly Uint8Array[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const bodies: Uint8Array[] = [];
    for (let body = this.#take(); body !== undefined; body = this.#take()) bodies.push(body);
    return bodies;
  }

  /** The next body, once it is here. Chunks are put together when their frame is complete, and not before. */
  #take(): Uint8Array | undefined {
    if (this.#held < 4) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [Buffer.concat(this.#chunks)];
    const length = this.#chunks[0]?.readUInt32BE() ?? 0;
    if (length === 0 || length > MAX_FRAME_BYTES)
      throw malformed(`length ${length}, accepted: 1 to ${MAX_FRAME_BYTES}`);
    if (this.#held < 4 + length) return undefined;
    const whole = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    const rest = whole.subarray(4 + length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
    return whole.subarray(4, 4 + length);
  }
}

function parseBody<T>(body: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = decode(body, { strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false });
  } catch {
    throw malformed("not CBOR");
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw malformed("no message that custody and broker exchange");
  return parsed.data;
}

function malformed(reason: string): Error {
  return custodyErrors.error("CUSTODY_FRAME_MALFORMED", `malformed frame: ${reason}`);
}
