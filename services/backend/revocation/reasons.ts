/** Why a certificate is revoked, by the names of RFC 5280, section 5.3.1, that a person may give. */
export const REVOCATION_REASONS = [
  "unspecified",
  "keyCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;

/** One of {@link REVOCATION_REASONS}. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** The reason of that name; `unspecified` for any other text. */
export function reasonOf(text: string): RevocationReason {
  return REVOCATION_REASONS.find((each) => each === text) ?? "unspecified";
}
