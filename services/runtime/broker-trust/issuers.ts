import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const CRL = /-----BEGIN (?:X509 )?CRL-----[\s\S]*?-----END (?:X509 )?CRL-----/g;

/** The certificates in a PEM text that can be read; what cannot is no certificate. */
export function certificatesIn(text: string): readonly X509Certificate[] {
  return (text.match(CERTIFICATE) ?? []).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}

/** The revocation lists in a PEM text, each with the label that OpenSSL reads (`X509 CRL`). */
export function crlsIn(text: string): readonly string[] {
  return (text.match(CRL) ?? []).map((pem) => `${pem.replaceAll(/(BEGIN|END) CRL/g, "$1 X509 CRL")}\n`);
}

/**
 * Who may issue a revocation list: the self-signed certificates of `anchors`, and each authority of `others` that one of
 * them has signed. Dates are left to whoever verifies a chain.
 */
export function issuersOf(anchors: string, others: readonly string[]): readonly X509Certificate[] {
  const roots = certificatesIn(anchors).filter((each) => signedBy(each, each));
  const below = [anchors, ...others]
    .flatMap(certificatesIn)
    .filter((each) => each.ca && roots.some((root) => signedBy(each, root)));
  return [...new Map([...roots, ...below].map((each) => [each.fingerprint256, each])).values()];
}

/** Whether one certificate has signed another; a name alone proves nothing. */
export function signedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
