import type { NetworkArgs } from "@pulumi/docker";
import { byDigest } from "../docker/images.ts";
import { bridgeOptions, type NetworkSpec } from "../docker/networks.ts";
import { type DockerPlan, networkLabels } from "../docker/plan.ts";
import { labelBlocks } from "../docker/provider-words.ts";
import { containerInputs } from "./container-inputs.ts";
import type { Plain } from "./plain.ts";
import type { DockerObject } from "./planned-object.ts";

/** The networks, images and containers of a plan, in the order in which they name each other: what its Terraform JSON says. */
export function planObjects(plan: DockerPlan): readonly DockerObject[] {
  const images = pulledImages(plan);
  return [
    ...plan.networks.map(
      (network) => ({ kind: "network", name: network.id, inputs: networkInputs(plan, network) }) as const,
    ),
    ...[...images].map(
      ([name, reference]) => ({ kind: "image", name, inputs: { name: reference, keepLocally: true } }) as const,
    ),
    ...plan.containers.map((spec) => {
      const inputs = containerInputs(spec, images.has(spec.image));
      return { kind: "container", name: spec.name, inputs } as const;
    }),
  ];
}

function networkInputs(plan: DockerPlan, network: NetworkSpec): Plain<NetworkArgs> {
  const { name, internal, subnet } = network;
  return {
    name,
    driver: "bridge",
    internal,
    options: bridgeOptions(network, plan.labels),
    ipamConfigs: [{ subnet: subnet.cidr, gateway: subnet.gateway }],
    labels: labelBlocks(networkLabels(plan, network)),
  };
}

/** What is pulled by digest: an image of this machine is named by its ID where it is used. */
function pulledImages({ source, containers }: DockerPlan): ReadonlyMap<string, string> {
  if (source !== "registry") return new Map();
  const pinned = containers.flatMap(({ image, pin: { reference, digest } }) =>
    digest === undefined ? [] : [[image, byDigest({ reference, digest })] as const],
  );
  return new Map(pinned);
}
