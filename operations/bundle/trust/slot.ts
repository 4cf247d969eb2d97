import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import { type Envelope, envelopeSchema } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { rootOf, type SignedRoot } from "./root.ts";
import { strictJson } from "./strict-json.ts";

/** Bytes of the entry `signatures.json` of a bundle, the only ones that its manifest does not fix. */
export const SLOT_BYTES = 65_536;

const slotSchema = z.strictObject({
  schema: z.literal("trustkern.bundle-signatures/1"),
  statement: envelopeSchema,
  roots: z.array(envelopeSchema).min(1).max(64),
});

/** What the slot of a bundle has. */
export interface Signatures {
  /** The statement on the bundle, with its signatures. */
  readonly statement: Envelope;
  /** Roots of trust, oldest first, without a gap; the last one is that of the statement. */
  readonly roots: readonly SignedRoot[];
}

/**
 * The slot: JSON, spaces up to its size, and a newline. Of the roots the newest that fit.
 * @throws BUNDLE_SLOT_MALFORMED where not even the newest one fits
 */
export function renderSlot({ statement, roots }: Signatures): Buffer {
  for (let from = Math.max(0, roots.length - 64); from < roots.length; from += 1) {
    const json = textOf(statement, roots.slice(from));
    if (json.length < SLOT_BYTES) return Buffer.from(`${json.padEnd(SLOT_BYTES - 1)}\n`);
  }
  throw malformed(`the statement and root ${roots.at(-1)?.root.version ?? 0} do not fit into ${SLOT_BYTES} bytes`);
}

/**
 * Reads a slot, and believes nothing of it: the bytes have to be the ones that it is rendered as.
 * @throws BUNDLE_UNSIGNED, BUNDLE_SLOT_MALFORMED, BUNDLE_ROOT_MALFORMED
 */
export function parseSlot(slot: Uint8Array): Signatures {
  if (slot.length !== SLOT_BYTES) throw malformed(`${slot.length} bytes; accepted: ${SLOT_BYTES}`);
  const text = Buffer.from(slot);
  if (text.at(-1) !== 0x0a) throw malformed("the last byte is no newline");
  let end = SLOT_BYTES - 1;
  while (end > 0 && text[end - 1] === 0x20) end -= 1;
  if (end === 0) throw bundleTrustErrors.error("BUNDLE_UNSIGNED", "the bundle has no signature");
  const { statement, roots } = strictJson(slotSchema, text.subarray(0, end), malformed);
  if (statement.signatures.length === 0)
    throw bundleTrustErrors.error("BUNDLE_UNSIGNED", "nobody has signed the bundle");
  return { statement, roots: roots.map((envelope, index) => rootOf(envelope, `roots.${index}`)) };
}

function textOf(statement: Envelope, roots: readonly SignedRoot[]): string {
  return stableJson({
    schema: "trustkern.bundle-signatures/1",
    statement,
    roots: roots.map(({ envelope }) => envelope),
  });
}

function malformed(why: string) {
  return bundleTrustErrors.error("BUNDLE_SLOT_MALFORMED", `signatures.json: ${why}`, { path: "signatures.json" });
}
