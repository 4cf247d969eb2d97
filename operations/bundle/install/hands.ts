import type { BundleContent, TrustedBundle } from "./content.ts";
import type { Asked } from "./facts.ts";
import type { Journal } from "./journal.ts";

/** What carries a plan out. */
export interface Hands extends Asked {
  readonly journal: Journal;
  /** What is brought; undefined on a way back, which needs nothing from outside. */
  readonly brought: { readonly bundle: BundleContent; readonly trusted: TrustedBundle } | undefined;
  readonly clock: () => Date;
  readonly onProgress: (what: string) => void;
}
