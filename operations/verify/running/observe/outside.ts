import type { ProbeAnswer, ProbeQuestion } from "../../../../shared/prober.ts";

/** Addresses for documentation (RFC 5737, RFC 3849), which nobody has: what is sent there by mistake reaches nobody. */
const OF_HOST = { four: "192.0.2.", six: "2001:db8:0:1::" } as const;
const OF_CONTAINERS = { four: "198.51.100.", six: "2001:db8:0:2::" } as const;

/** IPv4 or IPv6. */
export type Family = keyof typeof OF_HOST;

/** Discard (RFC 863), and what firewalls let out most often: DNS, time, and the web. */
const PORTS = { udp: [9, 53, 123], tcp: [9, 80, 443] } as const;

/** First words of a datagram that a probe sends; the verification that sent it follows. */
const MARK = "trustkern-verify";

type Sending = ProbeQuestion["send"][number];
type Routes = Pick<ProbeAnswer, "routes">;

/** Whether a packet to an address that nobody has would be routed out of the host at all. */
export function hasWayOut({ routes }: Routes, family: Family = "four"): boolean {
  const documentation =
    family === "four" ? [OF_HOST, OF_CONTAINERS].map(({ four }) => `${four}0/24`) : ["2001:db8::/32"];
  return routes.some(
    (route) =>
      (route.destination === "default" && familyOf(route.gateway) === family) ||
      documentation.includes(route.destination),
  );
}

/**
 * Where a host's packets can go that has no route for documentation addresses.
 * @param inner interfaces of the host that are Docker's own
 */
export function otherRoutes({ routes }: Routes, inner: ReadonlySet<string>): readonly string[] {
  return (["four", "six"] as const).flatMap((family) =>
    hasWayOut({ routes }, family)
      ? []
      : routes
          .filter(({ gateway, device }) => familyOf(gateway) === family && !inner.has(device))
          .map(({ destination, device }) => `${destination} by ${device}`),
  );
}

/** What the host itself sends, to show that a packet that leaves is seen: each time to another address. */
export function sendingsOfHost(time: number): readonly Sending[] {
  return sendings(addresses(OF_HOST, time));
}

/** What a container sends: each to addresses of its own, so that a packet tells whose it is, whatever its source is by then. */
export function sendingsOf(container: string, all: readonly string[]): readonly Sending[] {
  return sendings(addresses(OF_CONTAINERS, all.indexOf(container)));
}

/** The filter of the capture. */
export const OUTSIDE_FILTER = `net ${OF_HOST.four}0/24 or net ${OF_CONTAINERS.four}0/24 or net 2001:db8::/32`;

/** What a capture shows of packets on their way out. */
export interface LeftHost {
  /** Whether each sending of the host was seen, by IPv4 and by IPv6. */
  readonly host: readonly Readonly<Record<Family, boolean>>[];
  readonly containers: readonly { readonly from: string; readonly line: string }[];
}

/**
 * Reads lines of tcpdump, as it writes them with `-i any -nn -l`: time, interface, direction, packet. What goes out by a bridge or
 * into a container has not left.
 * @param inner interfaces of the host that are Docker's own
 */
export function whatLeft(
  text: string,
  inner: ReadonlySet<string>,
  times: number,
  containers: readonly string[],
): LeftHost {
  const out = text.split("\n").filter((line) => {
    const [, device = "", direction] = /^\S+\s+(\S+)\s+(In|Out|P|B|M)\s/.exec(line) ?? [];
    return direction === "Out" && !inner.has(device) && !device.startsWith("veth") && device !== "lo";
  });
  const seen = (address: string) =>
    out.find((line) => new RegExp(`[ >]${address.replaceAll(".", "\\.")}[.: ,]`).test(line));
  return {
    host: Array.from({ length: times }, (_, time) => {
      const { four, six } = addresses(OF_HOST, time);
      return { four: seen(four) !== undefined, six: seen(six) !== undefined };
    }),
    containers: containers.flatMap((from, index) => {
      const { four, six } = addresses(OF_CONTAINERS, index);
      const line = seen(four) ?? seen(six);
      return line === undefined ? [] : [{ from, line }];
    }),
  };
}

function addresses(prefix: Readonly<Record<Family, string>>, index: number): Readonly<Record<Family, string>> {
  return { four: `${prefix.four}${index + 1}`, six: `${prefix.six}${(index + 1).toString(16)}` };
}

function sendings({ four, six }: Readonly<Record<Family, string>>): readonly Sending[] {
  return [four, six].flatMap((host) => [
    ...PORTS.udp.map((port) => ({ host, port, protocol: "udp" as const, text: MARK })),
    ...PORTS.tcp.map((port) => ({ host, port, protocol: "tcp" as const, text: "" })),
  ]);
}

function familyOf(address: string): Family {
  return address.includes(":") ? "six" : "four";
}
