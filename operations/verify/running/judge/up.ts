import type { Observation } from "../observation.ts";

type Seen = Pick<Observation, "components">;

/** Why a component can answer nobody: it does not run, or it was paused. Undefined where it can. */
export function whyAway({ components }: Seen, name: string): string | undefined {
  const state = components.get(name)?.container?.State;
  if (state?.Running !== true) return `${name} does not run`;
  return state.Status === "paused" ? `${name} is paused` : undefined;
}

/** The components that can answer nobody, but for jobs that are done. */
export function away({ components }: Seen): readonly string[] {
  return [...components].flatMap(([name, { condition }]) =>
    condition === "done" ? [] : (whyAway({ components }, name) ?? []),
  );
}
