import { STATE_LABEL, stateLabelOf } from "../labels.ts";
import { terraformErrors } from "../terraform/errors.ts";
import { inspectContainers } from "./inspect.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/** Whose containers they are, and their names. */
export interface NamesPlace {
  readonly layout: Pick<Rendered["layout"], "dir">;
  readonly plan: { readonly containers: readonly { readonly name: string }[] };
}

/**
 * Holds that no container of somebody else has a component's name, before anything is made.
 * @throws NAME_TAKEN naming every one of them and whose it is
 */
export async function assertNamesFree(
  { docker }: Pick<DockerOptions, "docker">,
  { layout, plan }: NamesPlace,
): Promise<void> {
  const found = await inspectContainers(
    docker,
    plan.containers.map(({ name }) => name),
  );
  const foreign = [...found].filter(([, { Config }]) => Config.Labels?.[STATE_LABEL] !== stateLabelOf(layout.dir));
  if (foreign.length === 0) return;
  const owners = foreign.map(([name, { Config }]) => {
    const owner = Config.Labels?.["trustkern.deployment"];
    return `container "${name}" ${owner === undefined ? "is none of trustkern's" : `belongs to the deployment "${owner}" of another state directory`}`;
  });
  throw terraformErrors.error("NAME_TAKEN", owners.join("; "), { path: foreign[0]?.[0] });
}
