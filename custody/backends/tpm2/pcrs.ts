import { custodyStoreErrors } from "../errors.ts";

/** Platform configuration registers of one bank. */
export interface PcrSelection {
  /** Registers once each, in order: `sha256:0,2,4,7`. */
  readonly text: string;
  /** Length of all their values. */
  readonly bytes: number;
}

const DIGEST_BYTES: Readonly<Record<string, number>> = { sha256: 32, sha384: 48, sha512: 64 };
const FORM = /^(sha256|sha384|sha512):((?:\d|1\d|2[0-3])(?:,(?:\d|1\d|2[0-3]))*)$/;

/**
 * A choice of registers, as tpm2-tools write it: one bank, and registers 0 to 23 (TCG PC Client Platform TPM Profile).
 * @throws CUSTODY_PCRS_SELECTION
 */
export function parsePcrs(text: string): PcrSelection {
  const [, bank = "", list = ""] = FORM.exec(text) ?? [];
  const registers = [...new Set(list.split(",").map(Number))].sort((a, b) => a - b);
  const bytes = DIGEST_BYTES[bank];
  if (bytes !== undefined) return { text: `${bank}:${registers.join(",")}`, bytes: bytes * registers.length };
  const message = `"${text}" is no choice of PCRs, accepted: ${Object.keys(DIGEST_BYTES).join(", ")}, each with registers 0 to 23`;
  throw custodyStoreErrors.error("CUSTODY_PCRS_SELECTION", message);
}
