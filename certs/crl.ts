import type { Authority } from "./authority.ts";
import { REASON_CODES, type RevocationReason } from "./crl/reasons.ts";
import { type CrlEntry, signList } from "./crl/sign.ts";
import { certsErrors } from "./errors.ts";
import { normalSerial } from "./serial.ts";
import { x509 } from "./x509.ts";

export { type Crl, readCrl } from "./crl/read.ts";
export { verifyCrl } from "./crl/verify.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Seconds between `now` and `nextUpdate`. The least is what every verifier must be able to rely on when nobody publishes. */
const LIFETIME = { least: 72 * HOUR, most: 400 * DAY, usual: 7 * DAY };

/** Seconds by which `thisUpdate` lies in the past, so that a machine with a slow clock takes the list at once. */
const BACKDATE_SECONDS = 60;

/** A certificate that its issuer takes back. */
export interface Revocation {
  /** Hex, in any case, with or without leading zeros. */
  readonly serial: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}

/** What a list is made from. */
export interface CrlRequest {
  /** 0 to 2^53 - 1, and greater than that of every list of the same key before it. */
  readonly number: bigint;
  readonly revoked: readonly Revocation[];
  readonly now: Date;
  /** Seconds until `nextUpdate`, more than 72 hours and up to 400 days. @default 7 days */
  readonly lifetimeSeconds?: number | undefined;
}

/** A signed list. */
export interface IssuedCrl {
  /** One `X509 CRL` block, as OpenSSL wants it. */
  readonly pem: string;
  readonly number: bigint;
  readonly nextUpdate: Date;
}

/**
 * Signs the revocation list of an authority: version 2 with its number and the authority's key identifier (RFC 5280, section 5).
 * @throws CRL_INVALID when the number, a serial number, a date or the lifetime is out of range, or a certificate stands in it twice
 */
export async function issueCrl(authority: Authority, request: CrlRequest): Promise<IssuedCrl> {
  const { number, revoked, now } = request;
  const seconds = Math.floor(now.getTime() / 1000);
  const nextUpdate = new Date((seconds + lifetimeOf(request)) * 1000);
  if (number < 0n || number > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw certsErrors.error("CRL_INVALID", `number must be 0 to 2^53 - 1, got ${number}`, { path: "number" });
  }
  const der = await signList(authority, {
    thisUpdate: new Date((seconds - BACKDATE_SECONDS) * 1000),
    nextUpdate,
    entries: entriesOf(revoked, now),
    number,
  });
  return { pem: `${x509.PemConverter.encode(der, "X509 CRL")}\n`, number, nextUpdate };
}

function lifetimeOf({ lifetimeSeconds = LIFETIME.usual }: CrlRequest): number {
  const { least, most } = LIFETIME;
  if (Number.isSafeInteger(lifetimeSeconds) && lifetimeSeconds > least && lifetimeSeconds <= most) {
    return lifetimeSeconds;
  }
  const message = `lifetimeSeconds must be a whole number above ${least} and up to ${most}, got ${lifetimeSeconds}`;
  throw certsErrors.error("CRL_INVALID", message, { path: "lifetimeSeconds" });
}

function entriesOf(revoked: readonly Revocation[], now: Date): CrlEntry[] {
  const seen = new Set<string>();
  return revoked.map(({ serial, at, reason }, index) => {
    const normal = normalSerial(serial);
    const path = `revoked[${index}]`;
    if (!/^[0-9a-f]{1,40}$/.test(normal)) {
      throw certsErrors.error("CRL_INVALID", `serial number "${serial}" is not 1 to 20 octets in hex`, { path });
    }
    if (seen.has(normal)) {
      throw certsErrors.error("CRL_INVALID", `serial number "${serial}" stands in the list twice`, { path });
    }
    if (!(at <= now)) {
      throw certsErrors.error("CRL_INVALID", `serial number "${serial}" would be revoked in the future`, { path });
    }
    seen.add(normal);
    return { serial: normal, at: new Date(Math.floor(at.getTime() / 1000) * 1000), reasonCode: REASON_CODES[reason] };
  });
}
