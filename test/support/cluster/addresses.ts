import { BlockList } from "node:net";
import { clusterErrors } from "./errors.ts";

/** The first and the last second byte of networks that a cluster may take: `10.231.0.0/16` to `10.240.0.0/16`. */
const [FIRST, LAST] = [231, 240] as const;

/** Addresses of one cluster, all in one network of this machine. */
export interface Addresses {
  /** `ADDRESS/16`, which holds all that follow. */
  readonly network: string;
  /** Interface of this machine that leads there. */
  readonly link: string;
  /** This machine's end of the link, and the node's; both `/30`. */
  readonly host: string;
  readonly node: string;
  readonly pods: string;
  readonly services: string;
  /** Service `kubernetes`: the first address of services. */
  readonly kubernetes: string;
  /** Service `kube-dns`: the tenth. */
  readonly dns: string;
}

/**
 * The first network that overlaps none of what this machine has routes to.
 * @param routes - destinations as `ip route` has them: `default`, an address, or `ADDRESS/LENGTH`
 * @throws CLUSTER_NETWORK_TAKEN
 */
export function chooseAddresses(routes: readonly string[]): Addresses {
  const taken = routes.filter((route) => route !== "default" && route !== "0.0.0.0/0");
  for (let second = FIRST; second <= LAST; second += 1) {
    const network = `10.${second}.0.0/16`;
    if (!taken.some((route) => overlap(network, route))) return addressesOf(second);
  }
  throw clusterErrors.error(
    "CLUSTER_NETWORK_TAKEN",
    `10.${FIRST}.0.0/16 to 10.${LAST}.0.0/16 all overlap one of ${taken.join(", ")}`,
  );
}

function addressesOf(second: number): Addresses {
  const at = (rest: string): string => `10.${second}.${rest}`;
  return {
    network: at("0.0/16"),
    link: `tkc${second}`,
    host: at("0.1"),
    node: at("0.2"),
    pods: at("64.0/18"),
    services: at("128.0/18"),
    kubernetes: at("128.1"),
    dns: at("128.10"),
  };
}

/** Of two networks that overlap, one holds the other's first address. */
function overlap(one: string, other: string): boolean {
  return holds(one, other) || holds(other, one);
}

function holds(network: string, other: string): boolean {
  const [address = "", length = "32"] = network.split("/");
  const list = new BlockList();
  list.addSubnet(address, Number(length), "ipv4");
  return list.check(other.split("/")[0] ?? "", "ipv4");
}
