import { messageOf } from "../shared/errors.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { protocolErrors } from "./errors.ts";
import { type Verdict, verdictCode, verdictOfCode } from "./verdict.ts";

/** Most pairs in one receipt message. */
export const RECEIPT_MAX_PAIRS = 1000;

/** Bytes of an envelope's SHA-256 that name it in a receipt. */
export const RECEIPT_DIGEST_BYTES = 16;

/** The collector's word about one envelope: the first 16 bytes of its SHA-256, and what became of it. */
export type Receipt = readonly [digest: Uint8Array, verdict: Verdict];

/**
 * A receipt message.
 * @throws RECEIPT_MALFORMED for more than {@link RECEIPT_MAX_PAIRS} pairs, or a digest of another length
 */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  if (receipts.length > RECEIPT_MAX_PAIRS)
    throw malformed(`${receipts.length} pairs, at most ${RECEIPT_MAX_PAIRS} are accepted`);
  return encodeCbor(
    receipts.map(([digest, verdict]) => {
      if (digest.length !== RECEIPT_DIGEST_BYTES) throw malformed(`a digest has 16 bytes, got ${digest.length}`);
      return [digest, verdictCode(verdict)];
    }),
  );
}

/**
 * The receipts of a message.
 * @throws RECEIPT_MALFORMED
 */
export function decodeReceipts(bytes: Uint8Array): readonly Receipt[] {
  const pairs = decodeArray(bytes);
  if (pairs.length > RECEIPT_MAX_PAIRS)
    throw malformed(`${pairs.length} pairs, at most ${RECEIPT_MAX_PAIRS} are accepted`);
  return pairs.map(parsePair);
}

function decodeArray(bytes: Uint8Array): readonly unknown[] {
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (cause) {
    throw malformed(messageOf(cause));
  }
  if (!Array.isArray(value)) throw malformed("not an array");
  return value;
}

function parsePair(pair: unknown, index: number): Receipt {
  const [digest, code, ...more]: unknown[] = Array.isArray(pair) ? pair : [];
  const verdict = typeof code === "number" ? verdictOfCode(code) : undefined;
  if (
    !(digest instanceof Uint8Array) ||
    digest.length !== RECEIPT_DIGEST_BYTES ||
    verdict === undefined ||
    more.length > 0
  ) {
    throw malformed("a pair [16 bytes, 0..10] is expected", `[${index}]`);
  }
  return [digest, verdict];
}

function malformed(message: string, path?: string) {
  return protocolErrors.error("RECEIPT_MALFORMED", message, { path });
}
