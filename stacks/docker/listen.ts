import type { Model } from "../../model/boundary.ts";
import { flowNetworkId, type NetworkSpec, needsNetwork, publishNetworkId } from "./networks.ts";

/** Where a port listens that nobody has a flow to. */
const NOBODY = "127.0.0.1";

/**
 * The addresses that a port listens on: those of its component in the networks of the flows to it, and in the one that publishes
 * it. Both ends of a flow reach what the other listens on in their network, so nothing else may listen there.
 */
export function listenAddresses(
  { components, flows }: Model,
  networks: readonly NetworkSpec[],
  component: string,
  port: string,
): readonly [string, ...string[]] {
  const published = components.some(
    ({ name, ports }) => name === component && ports.some((each) => each.name === port && each.publish === true),
  );
  const ids = flows.filter((flow) => needsNetwork(flow) && flow.to === component && flow.port === port);
  const own = new Set([...ids.map(flowNetworkId), ...(published ? [publishNetworkId(component)] : [])]);
  const [first = NOBODY, ...others] = networks.flatMap(({ id, addresses }) =>
    own.has(id) ? (addresses[component] ?? []) : [],
  );
  return [first, ...others];
}
