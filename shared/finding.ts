import type { ErrorDetails } from "./errors.ts";

/** One result of a check. Several things wrong are several findings in one report. */
export interface Finding {
  /** Stable id of the rule, such as `BOUNDARY_ZONE_HOLDS`. */
  readonly code: string;
  /** Where: a property path, a component, a flow. */
  readonly path: string;
  /** What is wrong, with the value and what is accepted. */
  readonly message: string;
  readonly fix: NonNullable<ErrorDetails["fix"]>;
  /** 1-based position in the source file, where there is one. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}
