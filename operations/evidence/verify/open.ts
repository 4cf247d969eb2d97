import { type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { preAuthenticationEncoding, renderDsse } from "../../../protocol/dsse.ts";
import { fingerprintOf } from "../../../stacks/host/trust/signing-key.ts";
import { evidenceErrors } from "../errors.ts";
import { PAYLOAD_TYPE, renderStatement, type Statement, statementSchema } from "../schema/statement.ts";

/** Larger files are not read. */
const MAX_BYTES = 16 * 1024 * 1024;

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.literal(PAYLOAD_TYPE),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.string() })]),
});

/**
 * The statement of an evidence file, once the one signature on it was found to be that key's. The file has to be the very bytes
 * that {@link sealStatement} would write: another order, a member twice or a space more is refused, and nothing of the payload is
 * parsed before the signature is verified.
 * @param file its bytes
 * @param key the key that is trusted, from elsewhere; none in the file counts
 * @throws EVIDENCE_MALFORMED, EVIDENCE_BAD_SIGNATURE
 */
export function openEvidence(file: Uint8Array, key: KeyObject): Statement {
  const { payload, signature, keyid } = parseEnvelope(file);
  const fingerprint = fingerprintOf(key);
  if (keyid !== fingerprint) {
    const message = `the file says that the key ${shownId(keyid)} signed it; the one that is trusted is ${fingerprint}`;
    throw evidenceErrors.error("EVIDENCE_BAD_SIGNATURE", message, { path: "signatures[0].keyid" });
  }
  if (!verify("sha256", preAuthenticationEncoding(PAYLOAD_TYPE, payload), { key, dsaEncoding: "der" }, signature)) {
    const message = `the signature is not that of the key ${fingerprint} on this content`;
    throw evidenceErrors.error("EVIDENCE_BAD_SIGNATURE", message, { path: "signatures[0].sig" });
  }
  return parseStatement(payload);
}

function parseEnvelope(file: Uint8Array): { payload: Buffer; signature: Buffer; keyid: string } {
  if (file.length > MAX_BYTES) throw malformed(`${file.length} bytes; accepted: at most ${MAX_BYTES}`);
  const bytes = Buffer.from(file);
  const parsed = envelopeSchema.safeParse(jsonOf(bytes, "the file"));
  if (!parsed.success) throw malformed(firstIssue(parsed.error, "the envelope"));
  const { payload: payload64, signatures } = parsed.data;
  const [{ keyid, sig }] = signatures;
  const [payload, signature] = [Buffer.from(payload64, "base64"), Buffer.from(sig, "base64")];
  const canonical = Buffer.from(`${renderDsse(PAYLOAD_TYPE, payload, { keyid, sig: signature })}\n`);
  if (!bytes.equals(canonical)) throw malformed("the envelope is not in the form in which it was written");
  return { payload, signature, keyid };
}

function parseStatement(payload: Buffer): Statement {
  const parsed = statementSchema.safeParse(jsonOf(payload, "the statement"));
  if (!parsed.success) throw malformed(firstIssue(parsed.error, "the statement"));
  if (!renderStatement(parsed.data).equals(payload)) throw malformed("the statement is not canonical JSON");
  return parsed.data;
}

function jsonOf(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(`${what} is not JSON in UTF-8`, cause);
  }
}

function firstIssue({ issues }: z.ZodError, what: string): string {
  const [first] = issues;
  return `${what}: "${first?.path.join(".") ?? ""}" ${first?.message ?? "is wrong"}`;
}

/** What an edited file says may be anything. */
function shownId(keyid: string): string {
  return /^[0-9a-f]{64}$/.test(keyid) ? keyid : "of no fingerprint";
}

function malformed(message: string, cause?: unknown) {
  return evidenceErrors.error("EVIDENCE_MALFORMED", message, { cause });
}
