import type { Component } from "../../../model/component.ts";
import type { Zone } from "../../../model/zones.ts";
import { type Condition, isWell } from "../../../stacks/docker/life/health.ts";

/** A component that was not there, or not the same, from the first packet to the last file. */
export interface Unwell {
  readonly component: string;
  readonly zone: Zone;
  /** Such as `is stopped`. */
  readonly why: string;
}

/** A component at one moment: how it is, and which container and process it is. */
export interface Sighting {
  readonly condition: Condition;
  readonly container:
    | { readonly Id: string; readonly State: { readonly StartedAt: string; readonly Pid: number } }
    | undefined;
}

type Seen = ReadonlyMap<string, Sighting>;

/**
 * Components that were not well before or after, or whose container is another one than it was, or another process: its network was
 * captured and its memory searched for a part of the time, if at all.
 */
export function unwellIn(
  components: readonly Pick<Component, "name" | "zone">[],
  before: Seen,
  after: Seen,
): readonly Unwell[] {
  return components.flatMap(({ name, zone }) => {
    const why = whyUnwell(before.get(name), after.get(name));
    return why === undefined ? [] : [{ component: name, zone, why }];
  });
}

function whyUnwell(before: Sighting | undefined, after: Sighting | undefined): string | undefined {
  if (before === undefined || !isWell(before.condition)) return `is ${before?.condition ?? "missing"}`;
  if (after === undefined || !isWell(after.condition)) return `is ${after?.condition ?? "missing"} since the search`;
  const [one, other] = [before.container, after.container];
  if (one?.Id !== other?.Id) return "is another container since the search";
  const isSame = one?.State.StartedAt === other?.State.StartedAt && one?.State.Pid === other?.State.Pid;
  return isSame ? undefined : "was started anew during the search";
}
