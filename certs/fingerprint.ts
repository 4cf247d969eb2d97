import { X509Certificate } from "node:crypto";

/** SHA-256 over the DER of the first certificate of a PEM, as upper-case hex with colons, as `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprint(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256;
}
