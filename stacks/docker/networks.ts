import { createHash } from "node:crypto";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Flow } from "../../model/flow.ts";
import { memberAddresses, type Subnet, withSubnets } from "./addresses.ts";
import { STATE_LABEL } from "./labels.ts";

/** One bridge network: of a flow, or of what one component publishes. */
export interface NetworkSpec {
  /** Name of the resource in the stack. Never changes by accident: it is state. */
  readonly id: string;
  readonly name: string;
  /** What it is for, in the words of the model. */
  readonly purpose: string;
  /** Names of the components that are joined to it. */
  readonly members: readonly string[];
  /** The member that others ask for by its DNS name. */
  readonly listener: string;
  /** Whether nothing leaves it. A published port works on no internal network. */
  readonly internal: boolean;
  readonly subnet: Subnet;
  /** IPv4 address of each member in it, the listener's before the others'. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Whether a flow needs a network: neither end of a `unix` flow, nor of one that the engine carries, is joined. */
export function needsNetwork(flow: Flow): boolean {
  return flow.protection !== "unix" && flow.byEngine !== true;
}

/** Name of a flow's network in the stack. Component and port names have no `_`, so that no two flows share one. */
export function flowNetworkId(flow: Flow): string {
  return `${flow.from}_${flow.to}_${flow.port}`;
}

/** Name of the network in the stack by which a component's ports are published. */
export function publishNetworkId(component: string): string {
  return `${component}_publish`;
}

/** A network for each flow, and one for each component that publishes a port, by name. */
export function planNetworks(model: Model, deployment: Deployment): readonly NetworkSpec[] {
  const flows = new Map(model.flows.filter(needsNetwork).map((flow) => [flowNetworkId(flow), flow]));
  const ofFlows = [...flows].map(([id, { from, to, port }]) => ({
    id,
    name: networkName(deployment, id),
    purpose: `${from} -> ${to}.${port}`,
    members: [from, to],
    listener: to,
    internal: true,
  }));
  const published = model.components
    .filter(({ ports }) => ports.some(({ publish }) => publish))
    .map(({ name }) => ({
      id: publishNetworkId(name),
      name: networkName(deployment, publishNetworkId(name)),
      purpose: `published ports of ${name}`,
      members: [name],
      listener: name,
      internal: false,
    }));
  return withSubnets([...ofFlows, ...published], deployment.docker.subnets).map((network) => ({
    ...network,
    addresses: memberAddresses(network.subnet, membersInOrder(network)),
  }));
}

function membersInOrder({ members, listener }: Pick<NetworkSpec, "members" | "listener">): readonly string[] {
  return [listener, ...members.filter((member) => member !== listener)];
}

/**
 * Name of a network's bridge on the host: `tkp-…` where ports are published, `tkf-…` for a flow, so that one file of rules
 * does for all deployments of a host. At most 15 bytes, as the kernel takes it, and another one in another state directory.
 */
export function bridgeName(network: Pick<NetworkSpec, "name" | "internal">, stateLabel: string): string {
  const digest = createHash("sha256").update(`${stateLabel} ${network.name}`).digest("hex");
  return `${network.internal ? "tkf" : "tkp"}-${digest.slice(0, 10)}`;
}

/** Options of a network's bridge driver: nothing goes through a published port's bridge but what is published. */
export function bridgeOptions(
  network: Pick<NetworkSpec, "name" | "internal">,
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  const published = {
    "com.docker.network.bridge.enable_icc": "false",
    "com.docker.network.bridge.enable_ip_masquerade": "false",
  };
  const name = bridgeName(network, labels[STATE_LABEL] ?? "");
  return { "com.docker.network.bridge.name": name, ...(network.internal ? {} : published) };
}

/** Name of a network as Docker knows it. */
export function networkName(deployment: Deployment, id: string): string {
  return `tk-${deployment.name}_${id}`;
}
