import type { ProfileName } from "../model/deployment.ts";
import type { Rule } from "./rule.ts";
import type { DeploymentInput } from "./schema.ts";

/** One line of a profile: what is allowed, and why. */
export interface Constraint {
  /** Path in `trustkern.yaml`, such as `hosting.region`; `*` is each element of a list. */
  readonly path: string;
  readonly rule: Rule;
  readonly reason: string;
  /** The line holds only where another value is one of these. @default always */
  readonly when?: { readonly path: string; readonly values: readonly string[] };
  /** Path of the value that counts where neither file nor profile says one. @default none */
  readonly orElse?: string;
}

/** What a deployment of one kind may be. */
export interface Profile {
  readonly name: ProfileName;
  readonly summary: string;
  readonly constraints: readonly Constraint[];
  /** Values where the file says nothing. */
  readonly defaults: Omit<DeploymentInput, "name" | "tenant" | "profile">;
}

/** Where a constraint holds, in words. */
export function renderScope({ path, when }: Constraint): string {
  return when === undefined ? path : `${path} (with ${when.path} ${when.values.join(" or ")})`;
}

/** A line that every profile but `dev` has. */
export const ONLINE_KEYS_IN_HARDWARE: Constraint = {
  path: "pki.issuing.kind",
  rule: { kind: "one-of", values: ["pkcs11", "tpm2", "aws-kms"] },
  reason:
    "who copies the file of an issuing key has every identity that it issues; a token, a TPM or a KMS gives no copy",
};
