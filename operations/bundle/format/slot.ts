import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { bundleFormatErrors } from "./errors.ts";

/** Of the slot, always: signatures can be added to a bundle without moving a byte of anything else. */
export const SLOT_BYTES = 65_536;

/**
 * The bytes of `signatures.json`: stable JSON, spaces up to the size of the slot, one newline.
 * @throws BUNDLE_MALFORMED for more than the slot has room for
 */
export function renderSlot(value: object): Uint8Array {
  const json = Buffer.from(stableJson(value));
  if (json.length > SLOT_BYTES - 1) {
    throw malformed(`${json.length} bytes of signatures; accepted: ${SLOT_BYTES - 1} at most`);
  }
  const slot = Buffer.alloc(SLOT_BYTES, " ");
  json.copy(slot);
  slot.write("\n", SLOT_BYTES - 1);
  return slot;
}

/**
 * What a slot says, not yet looked at further. It has one form only: what is rendered of it has to be the same bytes.
 * @throws BUNDLE_MALFORMED
 */
export function parseSlot(slot: Uint8Array): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(slot));
  } catch (thrown) {
    throw malformed(`no JSON in UTF-8: ${messageOf(thrown)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("no JSON object");
  if (Buffer.compare(renderSlot(value), slot) !== 0) {
    throw malformed("not in the one form that it has: members sorted, none twice, spaces to the end, one newline");
  }
  return value;
}

function malformed(why: string): Error {
  return bundleFormatErrors.error("BUNDLE_MALFORMED", `the signatures are refused: ${why}`, {
    path: "signatures.json",
  });
}
