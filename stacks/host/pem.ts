import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Every certificate in a text, PEM, each with its final newline. */
export function certificatesIn(text: string): readonly string[] {
  return (text.match(CERTIFICATE) ?? []).map((pem) => `${pem}\n`);
}

/** SHA-256 of a certificate's DER, lower-case hex: what `GET /status` names it by. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** {@link fingerprintOf} every certificate in a text, in their order. */
export function fingerprintsOf(text: string): readonly string[] {
  return certificatesIn(text).map(fingerprintOf);
}

/** A pin: SHA-256 of a key's SubjectPublicKeyInfo (RFC 7469, section 2.4), lower-case hex. */
export function pinOf(key: string | KeyObject): string {
  const publicKey = typeof key === "string" || key.type === "private" ? createPublicKey(key) : key;
  const spki = publicKey.export({ format: "der", type: "spki" });
  return createHash("sha256").update(spki).digest("hex");
}
