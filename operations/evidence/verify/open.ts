import type { KeyObject } from "node:crypto";
import { openSigned, parsePayload } from "../../signed-file/open.ts";
import { evidenceRefusals } from "../errors.ts";
import { PAYLOAD_TYPE, type Statement, statementSchema } from "../schema/statement.ts";

/** Larger files are not read. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The statement of an evidence file, once the one signature on it was found to be that key's: the very bytes that
 * {@link sealStatement} would write.
 * @param file its bytes
 * @param key the key that is trusted, from elsewhere; none in the file counts
 * @throws EVIDENCE_MALFORMED, EVIDENCE_BAD_SIGNATURE
 */
export function openEvidence(file: Uint8Array, key: KeyObject): Statement {
  const form = { payloadType: PAYLOAD_TYPE, maxBytes: MAX_BYTES, refuse: evidenceRefusals };
  return parsePayload(openSigned(file, key, form), statementSchema, "the statement", evidenceRefusals);
}
