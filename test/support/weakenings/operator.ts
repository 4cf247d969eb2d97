import type { RenderedCheck } from "../../../operations/verify/rendered/seen.ts";
import type { Draw } from "./draw.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
export type Loose = any;

/** One way to weaken a rendered stack in place; it draws its target, and says which. */
export interface Operator {
  readonly name: string;
  /** The check that has to break; `any` where it follows from the target. */
  readonly breaks: RenderedCheck | "any";
  readonly weaken: (stack: Loose, draw: Draw) => string;
}

/** The containers of a stack, by name. */
export function containersOf(stack: Loose): Record<string, Loose> {
  return stack.resource.docker_container;
}

/** The networks of a stack, by id. */
export function networksOf(stack: Loose): Record<string, Loose> {
  return stack.resource.docker_network;
}

/** A container that is drawn from those for which there is something to weaken. */
export function drawContainer(
  stack: Loose,
  draw: Draw,
  fits: (box: Loose) => boolean = () => true,
): readonly [string, Loose] {
  return draw.pick(Object.entries(containersOf(stack)).filter(([, box]) => fits(box)));
}

/** An operator that changes one drawn container. */
export function onContainer(
  name: string,
  breaks: Operator["breaks"],
  change: (box: Loose, draw: Draw, stack: Loose) => unknown,
  fits?: (box: Loose) => boolean,
): Operator {
  return {
    name,
    breaks,
    weaken: (stack, draw) => {
      const [target, box] = drawContainer(stack, draw, fits);
      change(box, draw, stack);
      return target;
    },
  };
}

/** An operator that changes one drawn network. */
export function onNetwork(
  name: string,
  change: (network: Loose, draw: Draw, stack: Loose) => unknown,
  fits: (network: Loose) => boolean = () => true,
): Operator {
  return {
    name,
    breaks: "rendered.networks",
    weaken: (stack, draw) => {
      const [target, network] = draw.pick(Object.entries(networksOf(stack)).filter(([, each]) => fits(each)));
      change(network, draw, stack);
      return target;
    },
  };
}

/** An operator that sets an attribute of a drawn container to one of some values. */
export function setting(attribute: string, breaks: Operator["breaks"], values: readonly unknown[]): Operator {
  return onContainer(`set ${attribute}`, breaks, (box, draw) => {
    box[attribute] = structuredClone(draw.pick(values));
  });
}

/** An operator that takes an attribute away from a drawn container that has it. */
export function dropping(attribute: string, breaks: Operator["breaks"]): Operator {
  return onContainer(
    `drop ${attribute}`,
    breaks,
    (box) => {
      delete box[attribute];
    },
    (box) => box[attribute] !== undefined && box[attribute].length !== 0,
  );
}
