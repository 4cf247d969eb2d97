import { createHash, type X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CRLNumber, id_ce_cRLNumber } from "@peculiar/asn1-x509";
import { x509 } from "../../../certs/x509.ts";
import { messageOf } from "../../../shared/errors.ts";
import { brokerTrustErrors } from "./errors.ts";

/** A revocation list (RFC 5280, section 5) whose signature, dates and number were verified. */
export interface TrustedCrl {
  /** Common name of its issuer. */
  readonly issuer: string;
  /** SHA-256 of the issuer's public key (SPKI) in hex: two authorities may have one name while one follows the other. */
  readonly keyId: string;
  readonly number: bigint;
  readonly nextUpdate: Date;
  /** Serial numbers in lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>;
  readonly pem: string;
}

/**
 * Verifies a list against those who may issue one.
 * @throws BROKER_CRL_REFUSED when it cannot be read, nobody of these signed it, it has no number, or it is not in force now
 */
export async function trustCrl(pem: string, issuers: readonly X509Certificate[], now: Date): Promise<TrustedCrl> {
  const { crl, number } = parse(pem);
  const issuer = await signerOf(crl, issuers);
  const name = crl.issuerName.getField("CN")[0] ?? crl.issuer;
  if (issuer === undefined) throw refused(`the list of "${name}" is signed by none of our authorities`);
  const { thisUpdate, nextUpdate } = crl;
  if (nextUpdate === undefined) throw refused(`the list of "${name}" does not say when the next one comes`);
  if (thisUpdate > now || nextUpdate <= now)
    throw refused(
      `the list of "${name}" holds from ${thisUpdate.toISOString()} to ${nextUpdate.toISOString()}, not at ${now.toISOString()}`,
    );
  const serials = new Set(crl.entries.map(({ serialNumber }) => serialHex(serialNumber)));
  return { issuer: name, keyId: keyIdOf(issuer), number, nextUpdate, serials, pem };
}

/** SHA-256 of a certificate's public key (SPKI) in hex. */
export function keyIdOf({ publicKey }: X509Certificate): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** One spelling for a serial number in hex. */
export function serialHex(serial: string): string {
  return serial.toLowerCase().replace(/^0+(?=.)/, "");
}

function parse(pem: string): { readonly crl: x509.X509Crl; readonly number: bigint } {
  try {
    const crl = new x509.X509Crl(pem);
    const extension = crl.extensions.find(({ type }) => type === id_ce_cRLNumber);
    if (extension === undefined) throw new Error("it has no number");
    const { value } = AsnConvert.parse(extension.value, CRLNumber);
    return { crl, number: BigInt(value) };
  } catch (cause) {
    throw refused(`a list cannot be read: ${messageOf(cause)}`, cause);
  }
}

async function signerOf(crl: x509.X509Crl, issuers: readonly X509Certificate[]): Promise<X509Certificate | undefined> {
  for (const issuer of issuers) {
    const certificate = new x509.X509Certificate(issuer.raw);
    if (certificate.subject !== crl.issuer) continue;
    if (await crl.verify({ publicKey: certificate }).catch(() => false)) return issuer;
  }
  return undefined;
}

function refused(message: string, cause?: unknown): Error {
  return brokerTrustErrors.error("BROKER_CRL_REFUSED", message, { path: "crl", cause });
}
