import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Layout } from "../host/layout.ts";
import { type ContainerSpec, planContainer, type RunAs } from "./containers.ts";
import type { ImagePins } from "./images.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { type NetworkSpec, planNetworks } from "./networks.ts";
import { publishedPorts } from "./ports.ts";

/** A deployment as Docker will have it. */
export interface DockerPlan {
  readonly deployment: Deployment;
  /** Labels of everything that it makes. */
  readonly labels: Readonly<Record<string, string>>;
  readonly source: ImagePins["source"];
  readonly networks: readonly NetworkSpec[];
  readonly containers: readonly ContainerSpec[];
}

/** What a model is rendered for. */
export interface DockerTarget {
  readonly deployment: Deployment;
  readonly layout: Layout;
  /** The user who owns every file that a container mounts. */
  readonly runAs: RunAs;
  readonly images: ImagePins;
}

/**
 * The networks and containers of a model.
 * @throws DOCKER_COMPONENT, DOCKER_SUBNETS_FULL, DOCKER_PORTS_SAME, DOCKER_PORTS_FULL
 */
export function planContainers(model: Model, { deployment, layout, runAs, images }: DockerTarget): DockerPlan {
  const networks = planNetworks(model, deployment);
  const published = publishedPorts(model.components, deployment);
  const context = { model, deployment, layout, runAs, networks, published };
  return {
    deployment,
    labels: ownerLabels(deployment, layout),
    source: images.source,
    networks,
    containers: model.components.map((component) => planContainer(component, images.images, context)),
  };
}

/**
 * The limits of process ids. The provider's `docker_container` has no attribute for them, so whoever applies the stack sets
 * them on the running containers, and checks that they hold.
 */
export function pidsLimits(plan: DockerPlan): readonly { readonly container: string; readonly pids: number }[] {
  return plan.containers.map(({ name, pids }) => ({ container: name, pids }));
}

/** Labels of a network. */
export function networkLabels({ labels }: DockerPlan, { purpose }: NetworkSpec): Readonly<Record<string, string>> {
  return { ...labels, [`${LABEL}.network`]: purpose };
}
