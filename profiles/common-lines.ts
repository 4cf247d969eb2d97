import type { Constraint } from "./profile.ts";

/** A line that every profile but `dev` has. */
export const ONLINE_KEYS_IN_HARDWARE: Constraint = {
  topic: "pki",
  path: "pki.issuing.kind",
  rule: { kind: "one-of", values: ["pkcs11", "tpm2", "aws-kms"] },
  reason:
    "who copies the file of an issuing key has every identity that it issues; a token, a TPM or a KMS gives no copy",
};
