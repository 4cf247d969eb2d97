import { verify, X509Certificate } from "node:crypto";
import { messageOf } from "../../shared/errors.ts";
import { type DenialReason, denialFix } from "../denial.ts";
import type { ChainFinding } from "../finding.ts";
import { keyAlgorithm } from "../keys.ts";
import { x509 } from "../x509.ts";
import { type Crl, readCrl } from "./read.ts";
import { CRL_ALGORITHMS } from "./reasons.ts";

/** An issuing distribution point, which step-ca's lists have; it is critical there, and what it says is that the list is whole. */
const ISSUING_DISTRIBUTION_POINT = "2.5.29.28";

/** Seconds by which the clock of who made a list may be ahead of ours. */
const SKEW_SECONDS = 300;

/** What a list is held to. */
export interface CrlVerification {
  readonly pem: string;
  /** Certificate of the authority that must have signed it, PEM. */
  readonly issuerPem: string;
  readonly now: Date;
  /** The number that it must have at least, mostly that of the list before. @default any */
  readonly leastNumber?: bigint | undefined;
}

/**
 * Verifies a revocation list before it is trusted or published: that it is whole, is of this issuer, is signed by its key, is in
 * date and no older than the one before (RFC 5280, section 6.3.3).
 */
export function verifyCrl({ pem, issuerPem, now, leastNumber }: CrlVerification): readonly ChainFinding[] {
  try {
    const crl = readCrl(pem);
    const issuer = new X509Certificate(issuerPem);
    return [...signedBy(crl, issuer, issuerPem), ...inDate(crl, now), ...complete(crl, leastNumber)];
  } catch (thrown) {
    return [finding("CRL_FORM", "corrupt", messageOf(thrown))];
  }
}

function signedBy(crl: Crl, issuer: X509Certificate, issuerPem: string): ChainFinding[] {
  const { subject, extensions } = new x509.X509Certificate(issuerPem);
  const usage = extensions.find((one) => one instanceof x509.KeyUsagesExtension)?.usages ?? 0;
  if (crl.issuer !== subject) {
    return [finding("CRL_ISSUER", "wrong-ca", `it is of "${crl.issuer}", not of "${subject}"`)];
  }
  if (!issuer.ca || (usage & x509.KeyUsageFlags.cRLSign) === 0) {
    return [finding("CRL_ISSUER", "wrong-usage", `"${subject}" may not sign revocation lists`)];
  }
  const key = issuer.publicKey;
  const curve = keyAlgorithm(key)?.namedCurve;
  if (curve === undefined || CRL_ALGORITHMS[curve].id !== crl.algorithm) {
    return [finding("CRL_SIGNATURE", "weak-key", `its signature is of the algorithm ${crl.algorithm}`)];
  }
  if (verify(CRL_ALGORITHMS[curve].hash, crl.signedBytes, key, crl.signature)) return [];
  return [finding("CRL_SIGNATURE", "wrong-ca", `it was not signed by the key of "${subject}"`)];
}

function inDate({ thisUpdate, nextUpdate }: Crl, now: Date): ChainFinding[] {
  if (thisUpdate.getTime() > now.getTime() + SKEW_SECONDS * 1000) {
    return [
      finding("CRL_DATES", "clock-skew", `it was made at ${thisUpdate.toISOString()}, after ${now.toISOString()}`),
    ];
  }
  if (nextUpdate > now) return [];
  return [finding("CRL_DATES", "expired", `it ended at ${nextUpdate.toISOString()}, before ${now.toISOString()}`)];
}

function complete({ critical, number }: Crl, least: bigint | undefined): ChainFinding[] {
  const unknown = critical.filter((id) => id !== ISSUING_DISTRIBUTION_POINT);
  return [
    ...unknown.map((id) => finding("CRL_FORM", "corrupt", `it has the critical extension ${id}, which is unknown`)),
    ...(least !== undefined && number < least
      ? [finding("CRL_NUMBER", "corrupt", `its number is ${number}, and must be at least ${least}`)]
      : []),
  ];
}

function finding(code: string, reason: DenialReason, message: string): ChainFinding {
  return { code, reason, path: "crl", message: `the revocation list: ${message}`, fix: denialFix(reason) };
}
