import { createPublicKey } from "node:crypto";
import { hexOf } from "../../../protocol/hex.ts";

/** The uncompressed point of a P-256 key in DER (SPKI), lower-case hex: how records name a root-of-trust key. */
export function pointOfSpki(spki: Buffer): string {
  return hexOf(createPublicKey({ key: spki, format: "der", type: "spki" }).export({ format: "raw-public" }));
}
