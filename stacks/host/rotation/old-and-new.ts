import type { Member } from "./fleet.ts";

/**
 * What of something a component has in force. `current`: what its files say, and nothing of it is being replaced; `both`: the old and the
 * new of what is being replaced; `old` also for one that has not taken its files yet.
 */
export type Use = "current" | "old" | "new" | "both" | "unknown" | "none";

/** What is being replaced, and by what: SHA-256, lower-case hex. */
export interface Replacement {
  readonly old: string;
  readonly new: string;
}

/**
 * The authority of a name that is being replaced, as its files say.
 * @param fingerprintOf of an authority's certificate by its name, such as `root.next`; undefined where there is none
 */
export function replacementOf(
  name: string,
  fingerprintOf: (name: string) => string | undefined,
): Replacement | undefined {
  const [next, now, old] = [`${name}.next`, name, `${name}.old`].map(fingerprintOf);
  if (now === undefined) return undefined;
  if (next !== undefined) return { old: now, new: next };
  return old === undefined ? undefined : { old, new: now };
}

/** Which of the old and the new is among what a component has. */
export function useOf(has: Member["anchors"], { old, new: fresh }: Replacement): Use {
  if (has === "none") return "none";
  if (has === undefined) return "unknown";
  const [hasOld, hasNew] = [has.includes(old), has.includes(fresh)];
  if (hasOld && hasNew) return "both";
  return hasNew ? "new" : "old";
}

/**
 * Whether a component has what its files say.
 * @param exact whether it must have nothing else
 */
export function followsFiles(has: Member["anchors"], files: () => readonly string[], exact: boolean): Use {
  if (has === "none") return "none";
  if (has === undefined) return "unknown";
  const wanted = files();
  const all = wanted.every((one) => has.includes(one));
  return all && (!exact || has.length === wanted.length) ? "current" : "old";
}
