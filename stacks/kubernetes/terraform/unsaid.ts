import type { PlannedObject } from "../objects.ts";

/** A member of the API for which the provider has no word. */
interface Wordless {
  /** The end of its path, its kind first. */
  readonly place: string;
  /** The one value that it may have: another one is an error. */
  readonly value: string;
  /** Whether a block of the provider's stands for it, so that nothing of it is lost. */
  readonly implied: boolean;
}

/** Everything that release 2.38.0 of the provider cannot say, and ours has. */
export const WORDLESS: readonly Wordless[] = [
  { place: "volumeClaimTemplates.apiVersion", value: "v1", implied: true },
  { place: "volumeClaimTemplates.kind", value: "PersistentVolumeClaim", implied: true },
  { place: "PodDisruptionBudget.spec.unhealthyPodEvictionPolicy", value: "AlwaysAllow", implied: false },
];

/** What a stack leaves out, and whoever applies it has to say in another way. */
export interface Unsaid {
  /** Kind and name, such as `PodDisruptionBudget/broker`. */
  readonly object: string;
  /** Path of the member, such as `spec.unhealthyPodEvictionPolicy`. */
  readonly path: string;
  readonly value: string;
}

/** Everything of some objects that a stack of them does not say. */
export function unsaidOf(objects: readonly PlannedObject[]): readonly Unsaid[] {
  return objects.flatMap((object) =>
    WORDLESS.flatMap(({ place, value, implied }) => {
      const [kind, ...path] = place.split(".");
      const said = path.reduce<unknown>(
        (at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name],
        object,
      );
      if (implied || kind !== object.kind || said === undefined) return [];
      return [{ object: `${object.kind}/${object.metadata.name}`, path: path.join("."), value }];
    }),
  );
}
