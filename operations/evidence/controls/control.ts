import type { CheckId } from "../../verify/checks.ts";

/** One control of a framework, and the checks that would fail if what it asks for were taken away. */
export interface Control {
  readonly id: string;
  /** In our words. */
  readonly title: string;
  readonly checks: readonly [CheckId, ...CheckId[]];
  /** What of the control the checks hold, in one line. */
  readonly why: string;
}

/** A framework, and the controls that a check of the boundary says something about. Indicative: no level and no certification. */
export interface Framework {
  readonly name: string;
  readonly edition: string;
  readonly controls: readonly Control[];
  /** What of it no check of the boundary says anything about, in a few words. */
  readonly notLookedAt: string;
}
