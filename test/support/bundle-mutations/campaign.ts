import { drawFrom } from "../weakenings/draw.ts";
import { FORGERIES } from "./forgeries.ts";
import { BLIND, ENTRIES, type Mutate } from "./operators.ts";
import { boundaries, type Subject } from "./subject.ts";

const OPERATORS: readonly (readonly [string, Mutate])[] = Object.entries({ ...BLIND, ...ENTRIES, ...FORGERIES });

/** A mutant that was taken. Keys are made anew for each campaign, so that a seed alone does not give the same bytes again. */
interface Taken {
  readonly seed: number;
  readonly operator: string;
  /** Where the first byte differs from the good bundle. */
  readonly at: number;
}

/** What a campaign came to. Mutants that are the bundle itself are not among those that were tried. */
export interface Campaign {
  readonly tried: number;
  readonly same: number;
  /** How many were refused, by operator. */
  readonly refusedBy: ReadonlyMap<string, number>;
  /** How many were refused, by code. */
  readonly codes: ReadonlyMap<string, number>;
  /** Mutants that were taken for a good bundle. */
  readonly taken: readonly Taken[];
}

/**
 * Tries so many mutants of a bundle, each drawn by a seed of its own; operators in turn.
 * @param onTried hears how many were tried
 * @param operators @default those that need no key
 */
export async function mutate(
  subject: Subject,
  count: number,
  firstSeed = 1,
  onTried: (tried: number) => void = () => undefined,
  operators: readonly (readonly [string, Mutate])[] = OPERATORS,
): Promise<Campaign> {
  const material = { good: subject.good, others: subject.others, boundaries: await boundaries(subject.good) };
  const refusedBy = new Map<string, number>();
  const codes = new Map<string, number>();
  const taken: Taken[] = [];
  let [tried, same] = [0, 0];
  for (let seed = firstSeed; tried < count; seed += 1) {
    const [operator, change] = operators[seed % operators.length] ?? missing();
    const mutant = await change(material, drawFrom(seed));
    if (mutant.equals(subject.good)) {
      same += 1;
      continue;
    }
    tried += 1;
    onTried(tried);
    const code = await subject.refusal(mutant);
    if (code === undefined) taken.push({ seed, operator, at: firstDifference(mutant, subject.good) });
    else {
      refusedBy.set(operator, (refusedBy.get(operator) ?? 0) + 1);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  return { tried, same, refusedBy, codes, taken };
}

function firstDifference(one: Buffer, other: Buffer): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length : at;
}

/** How many operators there are. */
export const OPERATOR_COUNT: number = OPERATORS.length;

function missing(): never {
  throw new RangeError("there is no operator");
}
