import type { X509Certificate } from "node:crypto";
import { normalSerial } from "../../../certs/serial.ts";
import { messageOf } from "../../../shared/errors.ts";
import { certificatesIn, crlsIn, issuersOf, signedBy } from "./issuers.ts";
import { keyIdOf, type TrustedCrl, trustCrl } from "./trusted-crl.ts";

/** What is revoked, as far as it was verified. */
export interface CrlSet {
  /** One list for each issuer, the newest; without those of authorities that are revoked themselves. */
  readonly crls: readonly TrustedCrl[];
  /** Our authorities that their own issuer has revoked. */
  readonly revokedIssuers: readonly X509Certificate[];
  /** Why lists were not taken. */
  readonly refusals: readonly string[];
}

/** What {@link planCrlSet} decides from. PEM texts may hold certificates and revocation lists, in any order. */
export interface CrlSources {
  /** The trust anchors. */
  readonly anchors: string;
  /** Where lists and the certificates of their issuers are. */
  readonly texts: readonly string[];
  /** The same, of before: a list of these that is older or ended by now is no mistake of anybody's. */
  readonly kept?: readonly string[];
  /** By the issuer's key, the number below which a list is refused: that of the newest one that was ever in force. */
  readonly least: ReadonlyMap<string, bigint>;
  readonly now: Date;
}

/**
 * The newest valid list of each of our issuers. A list that is torn, foreign, ended, or older than the one in force changes
 * nothing; one that ended in the meantime is dropped, and then its issuer's certificates open nothing.
 */
export function planCrlSet({ anchors, texts, kept = [], least, now }: CrlSources): CrlSet {
  const issuers = issuersOf(anchors, [...texts, ...kept]);
  const newest = new Map<string, TrustedCrl>();
  const news = new Set(texts.flatMap(crlsIn));
  const refusals = texts.filter(isNeither).map((text) => `what came is no whole list: ${text.length} characters`);
  const refuse = (pem: string, reason: string): void => {
    if (news.has(pem)) refusals.push(reason);
  };
  for (const pem of new Set([...news, ...kept.flatMap(crlsIn)])) {
    try {
      const crl = trustCrl(pem, issuers, now);
      const floor = least.get(crl.keyId) ?? 0n;
      const best = newest.get(crl.keyId);
      if (crl.number < floor)
        refuse(pem, `the list ${crl.number} of "${crl.issuer}" is older than ${floor}, which is known`);
      else if (best === undefined || crl.number > best.number) newest.set(crl.keyId, crl);
    } catch (thrown) {
      refuse(pem, messageOf(thrown));
    }
  }
  const revokedIssuers = issuers.filter((each) => isRevoked(each, issuers, newest));
  const gone = new Set(revokedIssuers.map(keyIdOf));
  return { crls: [...newest.values()].filter(({ keyId }) => !gone.has(keyId)), revokedIssuers, refusals };
}

function isNeither(text: string): boolean {
  return crlsIn(text).length === 0 && certificatesIn(text).length === 0;
}

function isRevoked(
  certificate: X509Certificate,
  issuers: readonly X509Certificate[],
  crls: ReadonlyMap<string, TrustedCrl>,
): boolean {
  return issuers.some(
    (issuer) =>
      crls.get(keyIdOf(issuer))?.serials.has(normalSerial(certificate.serialNumber)) && signedBy(certificate, issuer),
  );
}

/** Serial numbers, with the issuer's common name, that `next` revokes and `before` did not. */
export function newlyRevoked(
  before: readonly TrustedCrl[],
  next: readonly TrustedCrl[],
): readonly { readonly issuer: string; readonly serial: string }[] {
  const old = new Map(before.map((crl) => [crl.keyId, crl.serials]));
  return next.flatMap(({ keyId, issuer, serials }) =>
    [...serials].filter((serial) => !old.get(keyId)?.has(serial)).map((serial) => ({ issuer, serial })),
  );
}

/** Whether two sets are the same lists. */
export function sameCrls(a: readonly TrustedCrl[], b: readonly TrustedCrl[]): boolean {
  const numbers = (crls: readonly TrustedCrl[]) =>
    crls
      .map(({ keyId, pem }) => `${keyId} ${pem}`)
      .sort()
      .join();
  return numbers(a) === numbers(b);
}
