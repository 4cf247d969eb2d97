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

/**
 * Verifies a list against those who may issue one. A list that is not in force yet is not taken either: OpenSSL would refuse
 * every certificate of its issuer until then.
 * @throws BROKER_CRL_REFUSED when it cannot be read, none of these signed it, it has no number, or it is not in force now
 */
export function trustCrl(pem: string, issuers: readonly X509Certificate[], now: Date): TrustedCrl {
  const { issuer, number, thisUpdate, nextUpdate, revoked } = parse(pem);
  const name = /CN=([^,]+)/.exec(issuer)?.[1] ?? issuer;
  if (thisUpdate > now)
    throw refused(`the list ${number} of "${name}" is in force from ${thisUpdate.toISOString()} on`);
  const reasons = new Set<string>();
  for (const candidate of issuers) {
    const findings = verifyCrl({ pem, issuerPem: String(candidate), now });
    if (findings.length > 0) for (const { code, message } of findings) reasons.add(`${code}: ${message}`);
    else {
      const serials = new Set(revoked.map(({ serial }) => serial));
      return { issuer: name, keyId: keyIdOf(candidate), number, nextUpdate, serials, pem };
    }
  }
  const others = [...reasons].filter((reason) => !reason.startsWith("CRL_ISSUER"));
  throw refused(`the list ${number} of "${name}": ${others.join("; ") || "none of our authorities has that name"}`);
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
