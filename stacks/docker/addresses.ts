import { createHash } from "node:crypto";
import { dockerStackErrors } from "./errors.ts";

/** Prefix length of one network: room for a gateway and five members. */
const NETWORK_PREFIX = 29;
/** Members have the addresses after the network's own and the gateway's. */
const FIRST_MEMBER = 2;

/** An IPv4 network cut from the pool of a deployment. */
export interface Subnet {
  /** CIDR form, such as `10.213.4.8/29`. */
  readonly cidr: string;
  /** The first address of it, which the bridge itself has. */
  readonly gateway: string;
}

/**
 * A /29 of `pool` for every network. A network's subnet follows from its name, so that one more network leaves the others
 * where they are; only those whose hashes meet look for the next free one, in the order of the alphabet.
 * @param pool private IPv4 network in CIDR form, such as `10.213.0.0/16`
 * @throws DOCKER_SUBNETS_FULL
 */
export function withSubnets<T extends { readonly name: string }>(
  networks: readonly T[],
  pool: string,
): readonly (T & { readonly subnet: Subnet })[] {
  const [address = "", length = ""] = pool.split("/");
  const slots = Math.floor(2 ** (NETWORK_PREFIX - Number(length)));
  if (networks.length > slots) {
    throw dockerStackErrors.error(
      "DOCKER_SUBNETS_FULL",
      `${networks.length} networks do not fit into "${pool}", which has room for ${slots}`,
      { path: "docker.subnets" },
    );
  }
  const base = toNumber(address);
  const taken = new Set<number>();
  return networks
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((network) => {
      let slot = createHash("sha256").update(network.name).digest().readUInt32BE() % slots;
      while (taken.has(slot)) slot = (slot + 1) % slots;
      taken.add(slot);
      const start = base + slot * 2 ** (32 - NETWORK_PREFIX);
      return { ...network, subnet: { cidr: `${toAddress(start)}/${NETWORK_PREFIX}`, gateway: toAddress(start + 1) } };
    });
}

/**
 * An IPv4 address of `subnet` for each member: the one after the gateway's for the first, and so on.
 * @param members at most five
 */
export function memberAddresses({ cidr }: Subnet, members: readonly string[]): Readonly<Record<string, string>> {
  const start = toNumber(cidr.split("/")[0] ?? "") + FIRST_MEMBER;
  return Object.fromEntries(members.map((member, index) => [member, toAddress(start + index)]));
}

function toNumber(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
