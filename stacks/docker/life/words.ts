import type { DockerPlan } from "../plan.ts";
import type { ResourceNames } from "../terraform/names.ts";

/** Every resource of the stack in the words of the model. */
export function resourceNames({ containers, networks }: DockerPlan): ResourceNames {
  return Object.fromEntries([
    ...containers.map(({ name }) => [`docker_container.${name}`, { kind: "component", name }] as const),
    ...containers.map(({ image }) => [`docker_image.${image}`, { kind: "image", name: image }] as const),
    ...networks.map(({ id, purpose, internal }) => {
      return [`docker_network.${id}`, { kind: internal ? "flow" : "network", name: purpose }] as const;
    }),
  ]);
}
