import { type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { preAuthenticationEncoding, renderDsse } from "../../protocol/dsse.ts";
import { isLowS } from "../../protocol/low-s.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import type { Refuse } from "./refusals.ts";

/** One kind of signed file. */
export interface SignedForm {
  /** DSSE payload type. */
  readonly payloadType: string;
  /** Larger files are not read. */
  readonly maxBytes: number;
  readonly refuse: Refuse;
}

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.string(),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.string() })]),
});

/**
 * The payload of a signed file, once the one signature on it was found to be that key's. The file has to be the very bytes that
 * {@link sealFile} would write: another order, a member twice, a space more or the high s of a signature is refused, and nothing of the payload is parsed
 * before the signature is verified.
 * @param file its bytes
 * @param key the key that is trusted, from elsewhere; none in the file counts
 * @throws …_MALFORMED, …_BAD_SIGNATURE
 */
export function openSigned(file: Uint8Array, key: KeyObject, form: SignedForm): Buffer {
  const { payloadType, refuse } = form;
  const { payload, signature, keyid } = parseEnvelope(file, form);
  const fingerprint = fingerprintOf(key);
  if (keyid !== fingerprint) {
    const message = `the file says that the key ${shownId(keyid)} signed it; the one that is trusted is ${fingerprint}`;
    throw refuse("BAD_SIGNATURE", message, { path: "signatures[0].keyid" });
  }
  if (!verify("sha256", preAuthenticationEncoding(payloadType, payload), { key, dsaEncoding: "der" }, signature)) {
    const message = `the signature is not that of the key ${fingerprint} on this content`;
    throw refuse("BAD_SIGNATURE", message, { path: "signatures[0].sig" });
  }
  if (!isLowS(signature)) {
    const message = `another signature than that of the key ${fingerprint} is on it, with a high s, which anybody can make of the first`;
    throw refuse("BAD_SIGNATURE", message, { path: "signatures[0].sig" });
  }
  return payload;
}

/**
 * What a verified payload says: of this schema, and in the one rendering that it has ({@link stableJson}).
 * @param what is parsed, for the message
 * @throws …_MALFORMED
 */
export function parsePayload<T>(payload: Buffer, schema: z.ZodType<T>, what: string, refuse: Refuse): T {
  const parsed = schema.safeParse(jsonOf(payload, what, refuse));
  if (!parsed.success) throw refuse("MALFORMED", firstIssue(parsed.error, what));
  if (!Buffer.from(stableJson(parsed.data)).equals(payload)) {
    throw refuse("MALFORMED", `${what} is not canonical JSON`);
  }
  return parsed.data;
}

/** @throws …_MALFORMED */
export function jsonOf(bytes: Uint8Array, what: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse("MALFORMED", `${what} is not JSON in UTF-8`, { cause });
  }
}

function parseEnvelope(
  file: Uint8Array,
  { payloadType, maxBytes, refuse }: SignedForm,
): { payload: Buffer; signature: Buffer; keyid: string } {
  if (file.length > maxBytes) throw refuse("MALFORMED", `${file.length} bytes; accepted: at most ${maxBytes}`);
  const bytes = Buffer.from(file);
  const schema = envelopeSchema.extend({ payloadType: z.literal(payloadType) });
  const parsed = schema.safeParse(jsonOf(bytes, "the file", refuse));
  if (!parsed.success) throw refuse("MALFORMED", firstIssue(parsed.error, "the envelope"));
  const { payload: payload64, signatures } = parsed.data;
  const [{ keyid, sig }] = signatures;
  const [payload, signature] = [Buffer.from(payload64, "base64"), Buffer.from(sig, "base64")];
  const canonical = Buffer.from(`${renderDsse(payloadType, payload, { keyid, sig: signature })}\n`);
  if (!bytes.equals(canonical)) {
    throw refuse("MALFORMED", "the envelope is not in the form in which it was written");
  }
  return { payload, signature, keyid };
}

function firstIssue({ issues }: z.ZodError, what: string): string {
  const [first] = issues;
  return `${what}: "${first?.path.join(".") ?? ""}" ${first?.message ?? "is wrong"}`;
}

/** What an edited file says may be anything. */
function shownId(keyid: string): string {
  return /^[0-9a-f]{64}$/.test(keyid) ? keyid : "of no fingerprint";
}
