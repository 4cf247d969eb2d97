import { BlockList, isIP } from "node:net";

const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");

/** What the resolvers of providers say of their own machines, such as the server of a machine's credentials. */
const OF_PROVIDERS = /(?:^|\.)(?:google|compute|ec2)\.internal$/;

/** {@link isOnSiteHost} in words. */
export const ON_SITE_TEXT = "a private address (RFC 1918, RFC 4193), or a name below .internal or .home.arpa";

/** Whether a URL can only be of a host on the site, as {@link isOnSiteHost} says. */
export function isOnSite(url: unknown): boolean {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  return isOnSiteHost(new URL(url).hostname.replace(/^\[(.*)\]$/, "$1"));
}

/** Whether a published port can be reached from the site alone: at a loopback address, or at a private one (RFC 1918). */
export function isSiteAddress(address: unknown): boolean {
  if (typeof address !== "string" || isIP(address) !== 4) return false;
  return address.startsWith("127.") || PRIVATE.check(address, "ipv4");
}

/** Prefix lengths of the private networks of RFC 1918, by their first address: a shorter one has public addresses in it. */
const LEAST_PREFIX: readonly (readonly [address: RegExp, prefix: number])[] = [
  [/^10\./, 8],
  [/^172\.(?:1[6-9]|2\d|3[01])\./, 12],
  [/^192\.168\./, 16],
];

/** Whether every address of an IPv4 network in CIDR form is a private one (RFC 1918). */
export function isSiteNetwork(network: unknown): boolean {
  const [address = "", prefix] = typeof network === "string" ? network.split("/") : [];
  return LEAST_PREFIX.some(([known, least]) => known.test(address) && Number(prefix) >= least);
}

const UNROUTED: readonly (readonly [network: string, prefix: number])[] = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
];

/** {@link isUnroutedNetwork} in words. */
export const UNROUTED_TEXT = "private (RFC 1918), shared (RFC 6598), or a single link-local address (169.254.x.y/32)";

/**
 * Whether an IPv4 network in CIDR form has no public address: private, of the shared space that clusters are given, or link-local and
 * a single address, since the machine's metadata are link-local too.
 */
export function isUnroutedNetwork(network: unknown): boolean {
  const [address = "", length] = typeof network === "string" ? network.split("/") : [];
  if (isIP(address) !== 4) return false;
  if (address.startsWith("169.254.")) return length === "32";
  return UNROUTED.some(([first, prefix]) => {
    const list = new BlockList();
    list.addSubnet(first, prefix, "ipv4");
    return list.check(address, "ipv4") && Number(length) >= prefix;
  });
}

/**
 * Whether a host can only be on the site: its address is a private one (RFC 1918, RFC 4193), or its name is below a domain that
 * the public DNS never has: `.internal`, which ICANN keeps for private use, and `.home.arpa` (RFC 8375). Where the site's own
 * resolver sends such a name is the site's business.
 */
export function isOnSiteHost(host: unknown): boolean {
  if (typeof host !== "string") return false;
  const version = isIP(host);
  if (version === 0) return /\.(?:internal|home\.arpa)$/.test(host) && !OF_PROVIDERS.test(host);
  return PRIVATE.check(host, version === 6 ? "ipv6" : "ipv4");
}
