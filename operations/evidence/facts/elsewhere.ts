import type { Model } from "../../../model/boundary.ts";
import { EXTERNAL_PARTS } from "../../../model/kubernetes.ts";
import type { ClusterFacts } from "../schema/facts-schema.ts";

/** The parts of a model that somebody else runs. */
export function elsewhereIn({ components }: Pick<Model, "components">): ClusterFacts["elsewhere"] {
  return components.flatMap(({ name, zone, holds, external }) => {
    const component = EXTERNAL_PARTS.find((part) => part === name);
    if (external === undefined || component === undefined) return [];
    const { host, region } = external;
    return [{ component, zone, holds: [...holds], host: host === "" ? null : host, region: region ?? null }];
  });
}
