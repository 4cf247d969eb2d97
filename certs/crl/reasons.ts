/** Reason codes of RFC 5280, section 5.3.1. Those that a later list could take back are not among them. */
export const REASON_CODES = {
  /** Left out of the list, as the standard asks. */
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

/** Why a certificate is taken back. */
export type RevocationReason = keyof typeof REASON_CODES;

/** The name of a reason code; other codes, and none, are `unspecified`. */
export function reasonOf(code: number | undefined): RevocationReason {
  const names = Object.keys(REASON_CODES) as RevocationReason[];
  return names.find((name) => REASON_CODES[name] === code) ?? "unspecified";
}

/** `ecdsa-with-SHA256` and `-SHA384` (RFC 5758, section 3.2), by the curve of the key that signs. */
export const CRL_ALGORITHMS = {
  "P-256": { id: "1.2.840.10045.4.3.2", hash: "sha256" },
  "P-384": { id: "1.2.840.10045.4.3.3", hash: "sha384" },
} as const;
