import type { Flow } from "../../../model/flow.ts";
import type { DataClass } from "../../../model/zones.ts";

/** One step of a path: over the flow that ends at `port`, in whichever direction the data goes. */
export interface Step {
  readonly from: string;
  readonly port: string;
  readonly to: string;
}

/** The flows that carry a class, from every component to its neighbours: a connection carries both ways. */
export type Carriers = ReadonlyMap<string, readonly Step[]>;

/** Who passes a class on to whom. */
export function carriersOf(flows: readonly Flow[], dataClass: DataClass): Carriers {
  const carriers = new Map<string, Step[]>();
  const add = (step: Step): void => {
    const steps = carriers.get(step.from);
    if (steps === undefined) carriers.set(step.from, [step]);
    else steps.push(step);
  };
  for (const { from, to, port } of flows.filter((flow) => flow.carries.includes(dataClass))) {
    add({ from, port, to });
    add({ from: to, port, to: from });
  }
  return carriers;
}

/**
 * The shortest path from any of `sources` to `target`, which is none of them; undefined where there is none. Searched in breadth
 * from the target on: the first source that is met is a nearest one.
 */
export function shortestPath(
  carriers: Carriers,
  sources: ReadonlySet<string>,
  target: string,
): readonly Step[] | undefined {
  const towards = new Map<string, Step | undefined>([[target, undefined]]);
  // A map is walked in the order in which it grows.
  for (const [name] of towards) {
    if (name !== target && sources.has(name)) return walk(name, towards);
    for (const { port, to } of carriers.get(name) ?? []) {
      if (!towards.has(to)) towards.set(to, { from: to, port, to: name });
    }
  }
  return undefined;
}

function walk(source: string, towards: ReadonlyMap<string, Step | undefined>): readonly Step[] {
  const steps: Step[] = [];
  for (let step = towards.get(source); step !== undefined; step = towards.get(step.to)) steps.push(step);
  return steps;
}

/** A path in words, such as `custody -kem-> custody-broker -kem-> collector`. */
export function renderPath(steps: readonly Step[]): string {
  return [steps[0]?.from, ...steps.map(({ port, to }) => `-${port}-> ${to}`)].join(" ");
}
