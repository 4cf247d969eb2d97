import { createPrivateKey, X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CRLNumber, id_ce_cRLNumber } from "@peculiar/asn1-x509";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { x509 } from "../../../certs/x509.ts";

const HOUR_MS = 3_600_000;

/** A revocation list of any dates, which our own functions would refuse to make. */
export async function forgeCrl(
  issuer: CertifiedKey,
  revoked: readonly CertifiedKey[] = [],
  nextUpdateHours = 96,
): Promise<string> {
  const key = createPrivateKey(issuer.keyPem);
  const namedCurve = key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "P-384" : "P-256";
  const certificate = new x509.X509Certificate(issuer.certPem);
  const yesterday = new Date(Date.now() - 24 * HOUR_MS);
  const crl = await x509.X509CrlGenerator.create({
    issuer: certificate.subjectName,
    thisUpdate: yesterday,
    nextUpdate: new Date(Date.now() + nextUpdateHours * HOUR_MS),
    entries: revoked.map(({ certPem }) => ({
      serialNumber: new X509Certificate(certPem).serialNumber,
      revocationDate: yesterday,
      reason: x509.X509CrlReason.keyCompromise,
    })),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      new x509.Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(1))),
    ],
    signingKey: key.toCryptoKey({ name: "ECDSA", namedCurve }, true, ["sign"]),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return `${x509.PemConverter.encode(crl.rawData, "X509 CRL")}\n`;
}
