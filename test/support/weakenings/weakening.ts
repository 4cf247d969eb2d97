import type { CheckId } from "../../../operations/verify/checks.ts";
import type { CheckResult } from "../../../operations/verify/result.ts";

/** The results of a layer as it is, and with the mitigation that one check looks at taken away. */
export interface Weakening {
  readonly sound: () => readonly CheckResult[];
  readonly weakened: () => readonly CheckResult[];
  /** Further ways of its own, each of which the check has to see: a control rests on every part of its sentence. @default none */
  readonly also?: readonly (() => readonly CheckResult[])[];
}

/** A weakening for each of some checks. */
export type Weakenings = Readonly<Partial<Record<CheckId, Weakening>>>;
