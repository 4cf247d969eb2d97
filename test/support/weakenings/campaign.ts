import { CHECK_OF_CODE } from "../../../operations/verify/rendered/check-of-code.ts";
import { checkRendered } from "../../../stacks/docker/check/index.ts";
import type { CheckContext, RenderedCode } from "../../../stacks/docker/check/subject.ts";
import { DEPLOYMENTS, renderedDeployment } from "../rendered.ts";
import { MOUNT_OPERATORS, NETWORK_OPERATORS, PORT_OPERATORS } from "./access.ts";
import { drawFrom } from "./draw.ts";
import type { Operator } from "./operator.ts";
import { LIMIT_OPERATORS, RIGHT_OPERATORS } from "./rights.ts";
import { ENGINE_OPERATORS, IMAGE_OPERATORS, SECRET_OPERATORS } from "./stack.ts";

/** Every way to weaken a stack that has a name. */
export const NAMED_OPERATORS: readonly Operator[] = [
  ...RIGHT_OPERATORS,
  ...LIMIT_OPERATORS,
  ...MOUNT_OPERATORS,
  ...PORT_OPERATORS,
  ...NETWORK_OPERATORS,
  ...SECRET_OPERATORS,
  ...IMAGE_OPERATORS,
  ...ENGINE_OPERATORS,
];

/** A weakened stack that the check took for a good one, or held against another rule than the one that was broken. */
export interface Missed {
  readonly seed: number;
  readonly deployment: string;
  readonly operator: string;
  readonly target: string;
  /** Checks that broke. */
  readonly broken: readonly string[];
}

/** What a campaign came to. Weakenings that changed nothing are not among those that were tried. */
export interface Campaign {
  readonly tried: number;
  readonly caught: number;
  readonly equivalent: number;
  readonly missed: readonly Missed[];
}

/** What to try. */
export interface CampaignOptions {
  /** @default every one that has a name */
  readonly operators?: readonly Operator[];
  readonly count: number;
  /** Seed of the first weakening; each has the next one. @default 1 */
  readonly firstSeed?: number;
  /** @default the check of a rendered stack */
  readonly check?: typeof checkRendered;
}

/** Tries weakenings, each of them drawn by a seed of its own: operators in turn, deployment and target at random. */
export function weaken({
  operators = NAMED_OPERATORS,
  count,
  firstSeed = 1,
  check = checkRendered,
}: CampaignOptions): Campaign {
  const stacks = Object.entries(DEPLOYMENTS).map(([name, deployment]) => ({ name, ...renderedDeployment(deployment) }));
  const missed: Missed[] = [];
  let [tried, equivalent] = [0, 0];
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const draw = drawFrom(seed);
    const operator = operators[seed % operators.length] as Operator;
    const { name, stack, subject } = draw.pick(stacks);
    const worse = structuredClone(stack);
    const target = operator.weaken(worse, draw);
    if (JSON.stringify(worse) === JSON.stringify(stack)) {
      equivalent += 1;
      continue;
    }
    tried += 1;
    const broken = brokenChecks(worse, subject, check);
    const caught = operator.breaks === "any" ? broken.length > 0 : broken.includes(operator.breaks);
    if (!caught) missed.push({ seed, deployment: name, operator: operator.name, target, broken });
  }
  return { tried, caught: tried - missed.length, equivalent, missed };
}

function brokenChecks(stack: unknown, context: CheckContext, check: typeof checkRendered): readonly string[] {
  return [...new Set(check(stack, context).map(({ code }) => CHECK_OF_CODE[code as RenderedCode]))];
}
