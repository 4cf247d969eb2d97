import { createPublicKey, type KeyObject } from "node:crypto";

/** The uncompressed point (SEC 1, section 2.3.3) of a P-256 private key, hex. */
export function publicPoint(privateKey: KeyObject): string {
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]).toString("hex");
}
