import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  CertificateList,
  CRLNumber,
  CRLReason,
  type Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
  type Time,
} from "@peculiar/asn1-x509";
import { messageOf } from "../../shared/errors.ts";
import { denial } from "../denial.ts";
import { normalSerial } from "../serial.ts";
import { x509 } from "../x509.ts";
import { type RevocationReason, reasonOf } from "./reasons.ts";

/** A revocation list as it is written. Nothing in it is verified. */
export interface Crl {
  /** Such as `O=acme, CN=TrustKern gateways`. */
  readonly issuer: string;
  /** Key identifier of the issuer in lower-case hex, which tells apart two keys of one name; empty when the list has none. */
  readonly keyId: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: readonly {
    /** Lower-case hex without leading zeros. */
    readonly serial: string;
    readonly at: Date;
    readonly reason: RevocationReason;
  }[];
  /** Object identifiers of the list's critical extensions. */
  readonly critical: readonly string[];
  /** Of the signature's algorithm. */
  readonly algorithm: string;
  /** What is signed, DER. */
  readonly signedBytes: Buffer<ArrayBuffer>;
  readonly signature: Buffer<ArrayBuffer>;
}

const ONE_BLOCK = /^\s*-----BEGIN X509 CRL-----\r?\n[A-Za-z0-9+/\r\n]+={0,2}\r?\n-----END X509 CRL-----\s*$/;

/** Values in one list, of which every entry has up to eight; the library's own limit would end at 1,400 certificates. */
const MAX_NODES = 2_000_000;

/**
 * Reads one list, an `X509 CRL` block that is whole.
 * @throws DENIED_CORRUPT
 */
export function readCrl(pem: string): Crl {
  if (!ONE_BLOCK.test(pem)) throw denial("corrupt", "a revocation list is one whole `X509 CRL` block");
  try {
    return parse(x509.PemConverter.decodeFirst(pem));
  } catch (thrown) {
    throw denial("corrupt", `the revocation list cannot be read: ${messageOf(thrown)}`);
  }
}

function parse(der: ArrayBuffer): Crl {
  const list = AsnConvert.parse(der, CertificateList, { berOptions: { maxNodes: MAX_NODES } });
  const { issuer, thisUpdate, nextUpdate, revokedCertificates = [], crlExtensions = [] } = list.tbsCertList;
  if (nextUpdate === undefined || list.tbsCertListRaw === undefined) throw new TypeError("it has no nextUpdate");
  const number = extensionValue(crlExtensions, id_ce_cRLNumber);
  if (number === undefined) throw new TypeError("it has no number");
  const { value } = AsnConvert.parse(number, CRLNumber);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("its number is not 0 to 2^53 - 1");
  const keyId = extensionValue(crlExtensions, id_ce_authorityKeyIdentifier);
  return {
    issuer: new x509.Name(AsnConvert.serialize(issuer)).toString(),
    keyId: keyId === undefined ? "" : hex(AsnConvert.parse(keyId, AuthorityKeyIdentifier).keyIdentifier?.buffer),
    number: BigInt(value),
    thisUpdate: dateOf(thisUpdate),
    nextUpdate: dateOf(nextUpdate),
    revoked: revokedCertificates.map(({ userCertificate, revocationDate, crlEntryExtensions = [] }) => {
      const reason = extensionValue(crlEntryExtensions, id_ce_cRLReasons);
      return {
        serial: normalSerial(hex(userCertificate)),
        at: dateOf(revocationDate),
        reason: reasonOf(reason && AsnConvert.parse(reason, CRLReason).reason),
      };
    }),
    critical: crlExtensions.filter(({ critical }) => critical).map(({ extnID }) => extnID),
    algorithm: list.signatureAlgorithm.algorithm,
    signedBytes: Buffer.from(list.tbsCertListRaw),
    signature: Buffer.from(list.signature),
  };
}

function extensionValue(extensions: readonly Extension[], id: string): ArrayBuffer | undefined {
  return extensions.find(({ extnID }) => extnID === id)?.extnValue.buffer;
}

function dateOf(time: Time): Date {
  const date = time.utcTime ?? time.generalTime;
  if (date === undefined || Number.isNaN(date.getTime())) throw new TypeError("a date cannot be read");
  return date;
}

function hex(bytes: ArrayBuffer | undefined): string {
  return Buffer.from(bytes ?? new ArrayBuffer()).toString("hex");
}
