import { dockerOutput } from "../../host/docker-cli.ts";
import { ownerLabels } from "../labels.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/**
 * Removes containers and networks of this state directory that no state knows: a run of OpenTofu that was killed had just made
 * them, and the next one would stumble over their names.
 * @param known addresses of the state's resources
 */
export async function removeLeftovers(
  { docker, deployment, onProgress }: Pick<DockerOptions, "docker" | "deployment" | "onProgress">,
  { layout, plan }: Pick<Rendered, "layout" | "plan">,
  known: readonly string[],
): Promise<void> {
  const filters = Object.entries(ownerLabels(deployment, layout)).flatMap(([label, value]) => [
    "--filter",
    `label=${label}=${value}`,
  ]);
  const containers = lines(await dockerOutput(docker, ["ps", "--all", "--format", "{{.Names}}", ...filters])).filter(
    (name) => !known.includes(`docker_container.${name}`),
  );
  const inState = new Set(
    plan.networks.filter(({ id }) => known.includes(`docker_network.${id}`)).map(({ name }) => name),
  );
  // A network that is in the state, and no longer in the plan, is for the plan to remove.
  const planned = new Set(plan.networks.map(({ name }) => name));
  const networks = lines(await dockerOutput(docker, ["network", "ls", "--format", "{{.Name}}", ...filters])).filter(
    (name) => planned.has(name) && !inState.has(name),
  );
  if (containers.length + networks.length === 0) return;
  onProgress(`removing what a run that was killed left: ${[...containers, ...networks].join(", ")}`);
  if (containers.length > 0) await dockerOutput(docker, ["rm", "--force", ...containers]);
  if (networks.length > 0) await dockerOutput(docker, ["network", "rm", ...networks]);
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
