import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { LABEL, ownerLabels, stateLabelOf } from "../labels.ts";
import { bridgeName, networkName, planNetworks } from "../networks.ts";
import { isNetworked } from "./access-rules.ts";
import { checkLabels } from "./label-rules.ts";
import { type Attributes, blocks, type CheckContext, finding, named, onceEach, shown, strangers } from "./subject.ts";

const MEMBERS = ["//", "name", "driver", "internal", "options", "ipam_config", "labels"];
const PUBLISH_OPTIONS = {
  "com.docker.network.bridge.enable_icc": "false",
  "com.docker.network.bridge.enable_ip_masquerade": "false",
};

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * There is a network for each flow, which is internal, and one for each component that publishes ports, which hides no sender;
 * the subnets are those that the plan gives them, of the pool, and apart from each other.
 */
export function checkNetworks(networks: Attributes, context: CheckContext): readonly Finding[] {
  const { deployment, layout, model } = context;
  const stateLabel = stateLabelOf(layout.dir);
  const ofFlows = new Set(model.flows.filter(isNetworked).map(({ from, to, port }) => `${from}_${to}_${port}`));
  const published = new Set(
    model.components.flatMap(({ name, ports }) => (ports.some(({ publish }) => publish) ? [`${name}_publish`] : [])),
  );
  const planned = new Map(planNetworks(model, deployment).map((network) => [network.id, network]));
  const pool = rangeOf(deployment.docker.subnets);
  const taken: Range[] = [];
  const wrongs = Object.entries(networks as Readonly<Record<string, Attributes>>).flatMap(([id, network]) => {
    const path = `resource.docker_network.${id}`;
    const wrong = (member: string, accepted: unknown) =>
      stableJson(network[member]) === stableJson(accepted)
        ? []
        : [
            finding(
              "RENDERED_NETWORK",
              `${path}.${member}`,
              `is ${shown(network[member])}; accepted: ${named(accepted)}`,
            ),
          ];
    if (!ofFlows.has(id) && !published.has(id)) {
      return [finding("RENDERED_NETWORK", path, "is the network of no flow and of no published port")];
    }
    const internal = !published.has(id);
    const { purpose = "", subnet } = planned.get(id) ?? {};
    const labels = { ...ownerLabels(deployment, layout), [`${LABEL}.network`]: purpose };
    return [
      ...strangers(network, MEMBERS, path),
      ...wrong("name", networkName(deployment, id)),
      ...wrong("driver", "bridge"),
      ...wrong("internal", internal),
      ...wrong("options", {
        "com.docker.network.bridge.name": bridgeName({ name: networkName(deployment, id), internal }, stateLabel),
        ...(internal ? {} : PUBLISH_OPTIONS),
      }),
      ...wrong("ipam_config", [{ subnet: subnet?.cidr, gateway: subnet?.gateway }]),
      ...checkSubnet(network.ipam_config, `${path}.ipam_config`, pool, taken),
      ...checkLabels("RENDERED_NETWORK", network.labels, labels, `${path}.labels`),
    ];
  });
  const ids = [...ofFlows, ...published];
  return [...wrongs, ...onceEach("RENDERED_NETWORK", "resource.docker_network", Object.keys(networks), ids)];
}

// Looked at apart from the plan, so that a mistake in how it cuts the pool is seen here.
function checkSubnet(value: unknown, path: string, pool: Range | undefined, taken: Range[]): readonly Finding[] {
  const [block = {}, ...more] = blocks(value) ?? [];
  const range = rangeOf(block.subnet);
  if (range === undefined || pool === undefined || more.length > 0) {
    return [finding("RENDERED_NETWORK", path, `is ${shown(value)}; accepted: one IPv4 subnet`)];
  }
  const outside = range.first < pool.first || range.last > pool.last;
  const overlaps = taken.some(({ first, last }) => range.first <= last && first <= range.last);
  taken.push(range);
  return [
    ...strangers(block, ["subnet", "gateway"], path),
    ...(outside ? [finding("RENDERED_NETWORK", path, `${named(block.subnet)} is outside docker.subnets`)] : []),
    ...(overlaps ? [finding("RENDERED_NETWORK", path, `${named(block.subnet)} overlaps with another network's`)] : []),
  ];
}

/** First and last address of a network in CIDR form, as numbers. */
function rangeOf(cidr: unknown): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(String(cidr));
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = match.slice(1).map(Number);
  if (Math.max(a, b, c, d) > 255 || length > 32) return undefined;
  const size = 2 ** (32 - length);
  const first = ((a * 256 + b) * 256 + c) * 256 + d;
  return first % size === 0 ? { first, last: first + size - 1 } : undefined;
}
