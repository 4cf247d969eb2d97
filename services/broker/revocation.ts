import type { X509Certificate } from "node:crypto";
import { normalSerial } from "../../certs/serial.ts";
import { certificatesIn, signedBy } from "../runtime/broker-trust/issuers.ts";
import { keyIdOf } from "../runtime/broker-trust/trusted-crl.ts";
import type { Trust } from "./trust.ts";

/** Longest chain that is looked at: a leaf, its authority, the root. */
const MAX_CHAIN = 4;

/**
 * Why a client's certificate does not count: it or an authority above it is revoked, or an issuer has no list that is valid.
 * Node looks at lists during a handshake alone, and at none when it is given none; this also holds for open sessions.
 */
export function revocationOf(
  leaf: X509Certificate | undefined,
  { crls, tls }: Pick<Trust, "crls" | "tls">,
): "certificate-revoked" | "certificate-list-missing" | null {
  const lists = new Map(crls.map((crl) => [crl.keyId, crl]));
  // Node's chain is what the client sent, and a client does not send the root.
  const anchors = certificatesIn(tls.ca);
  let certificate = leaf;
  for (let depth = 0; certificate !== undefined && depth < MAX_CHAIN; depth++) {
    const shown: X509Certificate = certificate;
    const issuer = shown.issuerCertificate ?? anchors.find((anchor) => signedBy(shown, anchor));
    if (issuer === undefined) return "certificate-list-missing";
    if (depth > 0 && issuer.fingerprint256 === certificate.fingerprint256) return null;
    const list = lists.get(keyIdOf(issuer));
    if (list === undefined) return "certificate-list-missing";
    if (list.serials.has(normalSerial(certificate.serialNumber))) return "certificate-revoked";
    certificate = issuer;
  }
  return "certificate-list-missing";
}
