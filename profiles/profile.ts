import type { ProfileName } from "../model/deployment.ts";
import type { DeploymentInput } from "./schema.ts";

/** What a constraint asks of the value at its path. */
export type Rule =
  | { readonly kind: "one-of"; readonly values: readonly (number | string)[] }
  | { readonly kind: "between"; readonly min: number; readonly max: number }
  | { readonly kind: "required" };

/** One line of a profile: what is allowed, and why. */
export interface Constraint {
  /** Path in `trustkern.yaml`, such as `hosting.region`. */
  readonly path: string;
  readonly rule: Rule;
  readonly reason: string;
}

/** What a deployment of one kind may be. */
export interface Profile {
  readonly name: ProfileName;
  readonly summary: string;
  readonly constraints: readonly Constraint[];
  /** Values where the file says nothing. */
  readonly defaults: Omit<DeploymentInput, "name" | "tenant" | "profile">;
}

/** What a rule accepts, in words. */
export function renderRule(rule: Rule): string {
  if (rule.kind === "one-of") return rule.values.join(", ");
  return rule.kind === "between" ? `${rule.min} to ${rule.max}` : "any, but it must be said";
}

/** Whether a value keeps a rule; `undefined` is a value that neither file nor profile gives. */
export function keepsRule(rule: Rule, value: unknown): boolean {
  if (rule.kind === "one-of") return rule.values.some((accepted) => accepted === value);
  if (rule.kind === "between") return typeof value === "number" && value >= rule.min && value <= rule.max;
  return value !== undefined;
}

/** A line that every profile but `dev` has. */
export const ONLINE_KEYS_IN_HARDWARE: Constraint = {
  path: "pki.issuing.kind",
  rule: { kind: "one-of", values: ["pkcs11", "tpm2", "aws-kms"] },
  reason:
    "who copies the file of an issuing key has every identity that it issues; a token, a TPM or a KMS gives no copy",
};
