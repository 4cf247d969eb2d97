import { createHash, type KeyObject } from "node:crypto";

/** SHA-256 of a public key's SPKI (RFC 7469, section 2.4, in lower-case hex). */
export function fingerprintOf(key: KeyObject | Buffer): string {
  const spki = Buffer.isBuffer(key) ? key : key.export({ format: "der", type: "spki" });
  return createHash("sha256").update(spki).digest("hex");
}
