import { webcrypto } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  CertificateList,
  CRLNumber,
  CRLReason,
  Extension,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
  Name,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from "@peculiar/asn1-x509";
import { type Signer, signingAlgorithmOf } from "../issue.ts";
import { x509 } from "../x509.ts";
import { CRL_ALGORITHMS } from "./reasons.ts";

/** One certificate of a list. */
export interface CrlEntry {
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly at: Date;
  /** 0 is left out (RFC 5280, section 5.3.1). */
  readonly reasonCode: number;
}

/** What a list says. */
export interface CrlContent {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: readonly CrlEntry[];
  readonly number: bigint;
}

/**
 * Signs a list, DER. `X509CrlGenerator` of `@peculiar/x509` would give every entry without a reason an empty list of extensions,
 * which the standard does not have, and compares each entry with all before it.
 */
export async function signList(signer: Signer, content: CrlContent): Promise<ArrayBuffer> {
  const { certificate, signingKey, crypto = webcrypto } = signer;
  const signingAlgorithm = signingAlgorithmOf(certificate.publicKey);
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: CRL_ALGORITHMS[signingAlgorithm.namedCurve].id });
  const { rawData: keyId } = await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey);
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: signatureAlgorithm,
    issuer: AsnConvert.parse(certificate.subjectName.toArrayBuffer(), Name),
    thisUpdate: new Time(content.thisUpdate),
    nextUpdate: new Time(content.nextUpdate),
    crlExtensions: [
      AsnConvert.parse(keyId, Extension),
      extension(id_ce_cRLNumber, new CRLNumber(Number(content.number))),
    ],
  });
  if (content.entries.length > 0) tbsCertList.revokedCertificates = content.entries.map(entry);
  const signed = await crypto.subtle.sign(signingAlgorithm, signingKey, AsnConvert.serialize(tbsCertList));
  const signature = new x509.AsnEcSignatureFormatter().toAsnSignature(signingAlgorithm, signed);
  if (signature === null) throw new TypeError("an authority signs with ECDSA");
  return AsnConvert.serialize(new CertificateList({ tbsCertList, signatureAlgorithm, signature }));
}

function entry({ serial, at, reasonCode }: CrlEntry): RevokedCertificate {
  const whole = serial.length % 2 === 0 ? serial : `0${serial}`;
  // A leading zero octet keeps the number positive where its first bit is set.
  const octets = Buffer.from(/^[89a-f]/.test(whole) ? `00${whole}` : whole, "hex");
  const revoked = { userCertificate: Uint8Array.from(octets).buffer, revocationDate: new Time(at) };
  if (reasonCode === 0) return new RevokedCertificate(revoked);
  const crlEntryExtensions = [extension(id_ce_cRLReasons, new CRLReason(reasonCode))];
  return new RevokedCertificate({ ...revoked, crlEntryExtensions });
}

function extension(extnID: string, value: CRLNumber | CRLReason): Extension {
  return new Extension({ extnID, critical: false, extnValue: new OctetString(AsnConvert.serialize(value)) });
}
