import type { Condition } from "../../../../stacks/docker/life/health.ts";

/** How a component is, as far as every engine can say it. */
export interface Standing {
  readonly condition: Condition;
  /** Undefined where nothing of it is there. */
  readonly container: { readonly State: { readonly Running: boolean; readonly Status: string } } | undefined;
}

/** Components by their names. */
export interface Standings {
  readonly components: ReadonlyMap<string, Standing>;
}

/** Why a component can answer nobody: it does not run, or it was paused. Undefined where it can. */
export function whyAway({ components }: Standings, name: string): string | undefined {
  const state = components.get(name)?.container?.State;
  if (state?.Running !== true) return `${name} does not run`;
  return state.Status === "paused" ? `${name} is paused` : undefined;
}

/** The components that can answer nobody, but for jobs that are done. */
export function away({ components }: Standings): readonly string[] {
  return [...components].flatMap(([name, { condition }]) =>
    condition === "done" ? [] : (whyAway({ components }, name) ?? []),
  );
}
