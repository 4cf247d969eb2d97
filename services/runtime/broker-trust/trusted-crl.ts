import { createHash, type X509Certificate } from "node:crypto";
import { readCrl, verifyCrl } from "../../../certs/crl.ts";
import { messageOf } from "../../../shared/errors.ts";
import { brokerTrustErrors } from "./errors.ts";

/** A revocation list (RFC 5280, section 5) whose signature, dates and number were verified. */
export interface TrustedCrl {
  /** Common name of its issuer. */
  readonly issuer: string;
  /** SHA-256 of the issuer's public key (SPKI) in hex: two authorities have one name while one follows the other. */
  readonly keyId: string;
  readonly number: bigint;
  readonly nextUpdate: Date;
  /** Serial numbers as `normalSerial` writes them. */
  readonly serials: ReadonlySet<string>;
  readonly pem: string;
}

/** A list whose signature was verified; the dates, which are looked at each time, do not change that. */
interface Verified {
  readonly crl: TrustedCrl;
  readonly thisUpdate: Date;
  /** Fingerprint of who signed it. */
  readonly signer: string;
}

/** Lists that are remembered by their text: a long one takes seconds to read, and brokers look at the same ones every few seconds. */
const MAX_REMEMBERED = 16;
const remembered = new Map<string, Verified>();

/**
 * Verifies a list against those who may issue one. A list that is not in force yet is not taken either: OpenSSL would refuse
 * every certificate of its issuer until then.
 * @throws BROKER_CRL_REFUSED when it cannot be read, none of these signed it, it has no number, or it is not in force now
 */
export function trustCrl(pem: string, issuers: readonly X509Certificate[], now: Date): TrustedCrl {
  const known = remembered.get(pem);
  if (known !== undefined && issuers.some(({ fingerprint256 }) => fingerprint256 === known.signer))
    return inForce(known, now);
  const verified = verify(pem, issuers, now);
  remembered.set(pem, verified);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MAX_REMEMBERED) break;
    remembered.delete(oldest);
  }
  return verified.crl;
}

function verify(pem: string, issuers: readonly X509Certificate[], now: Date): Verified {
  const { issuer, number, thisUpdate, nextUpdate, revoked } = parse(pem);
  const name = /CN=([^,]+)/.exec(issuer)?.[1] ?? issuer;
  const reasons = new Set<string>();
  for (const candidate of issuers.filter(({ subject }) => subject.split("\n").includes(`CN=${name}`))) {
    const findings = verifyCrl({ pem, issuerPem: String(candidate), now });
    for (const { code, message } of findings) reasons.add(`${code}: ${message}`);
    if (findings.length > 0) continue;
    const serials = new Set(revoked.map(({ serial }) => serial));
    const crl = { issuer: name, keyId: keyIdOf(candidate), number, nextUpdate, serials, pem };
    const verified = { crl, thisUpdate, signer: candidate.fingerprint256 };
    inForce(verified, now);
    return verified;
  }
  const others = [...reasons].filter((reason) => !reason.startsWith("CRL_ISSUER"));
  throw refused(`the list ${number} of "${name}": ${others.join("; ") || "none of our authorities has that name"}`);
}

function inForce({ crl, thisUpdate }: Verified, now: Date): TrustedCrl {
  const { issuer, number, nextUpdate } = crl;
  if (thisUpdate > now)
    throw refused(`the list ${number} of "${issuer}" is in force from ${thisUpdate.toISOString()} on`);
  if (nextUpdate <= now) throw refused(`the list ${number} of "${issuer}" ended at ${nextUpdate.toISOString()}`);
  return crl;
}

/** SHA-256 of a certificate's public key (SPKI) in hex. */
export function keyIdOf({ publicKey }: X509Certificate): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

function parse(pem: string): ReturnType<typeof readCrl> {
  try {
    return readCrl(pem);
  } catch (cause) {
    throw refused(`a list cannot be read: ${messageOf(cause)}`, cause);
  }
}

function refused(message: string, cause?: unknown): Error {
  return brokerTrustErrors.error("BROKER_CRL_REFUSED", message, { path: "crl", cause });
}
