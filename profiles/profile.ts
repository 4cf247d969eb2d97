import type { ProfileName } from "../model/deployment.ts";
import type { Rule } from "./rule.ts";
import type { DeploymentInput } from "./schema.ts";
import type { Topic } from "./topics.ts";

/** One line of a profile that the file keeps or breaks: what is allowed, and why. */
export interface Constraint {
  readonly topic: Topic;
  /** Path in `trustkern.yaml`, such as `hosting.region`; `*` is each element of a list. */
  readonly path: string;
  readonly rule: Rule;
  readonly reason: string;
  /** The line holds only where another value is one of these. @default always */
  readonly when?: { readonly path: string; readonly values: readonly string[] };
  /** Path of the value that counts where neither file nor profile says one. @default none */
  readonly orElse?: string;
}

/** One line of a profile that no file can keep: what holds it is looked at on the deployment. */
export interface Assurance {
  readonly topic: Topic;
  /** What holds it: a check of `verify boundary` such as `running.encryption`, or the command that refuses, such as `deploy`. */
  readonly heldBy: string;
  /** What is accepted, in words. */
  readonly accepted: string;
  readonly reason: string;
  /** Whether `not proven` may be reported and gone on with. @default false */
  readonly reportOnly?: boolean;
}

/** What a deployment of one kind may be. */
export interface Profile {
  readonly name: ProfileName;
  readonly summary: string;
  readonly constraints: readonly Constraint[];
  readonly assurances: readonly Assurance[];
  /** Components that a deployment may do without; of each other one there is one. */
  readonly mayBeAbsent: readonly string[];
  /** Values where the file says nothing. */
  readonly defaults: Omit<DeploymentInput, "name" | "tenant" | "profile">;
}

/** Where a constraint holds, in words. */
export function renderScope({ path, when }: Constraint): string {
  return when === undefined ? path : `${path} (with ${when.path} ${when.values.join(" or ")})`;
}
