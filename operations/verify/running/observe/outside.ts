import type { ProbeAnswer, ProbeQuestion } from "../../../../shared/prober.ts";

/** Addresses for documentation (RFC 5737), which nobody has: what is sent there by mistake reaches nobody. */
const OF_HOST = "192.0.2.";
const OF_CONTAINERS = "198.51.100.";

/** Discard (RFC 863). */
const PORT = 9;

/** First words of a datagram that a probe sends; the verification that sent it follows. */
const MARK = "trustkern-verify";

type Sending = ProbeQuestion["send"][number];

/** Whether a packet to an address that nobody has would be routed out of the host at all. */
export function hasWayOut({ routes }: Pick<ProbeAnswer, "routes">): boolean {
  const documentation = [OF_HOST, OF_CONTAINERS].map((prefix) => `${prefix}0/24`);
  return routes.some(({ destination }) => destination === "default" || documentation.includes(destination));
}

/**
 * Where a host's packets can go that has no route for documentation addresses.
 * @param inner interfaces of the host that are Docker's own
 */
export function otherRoutes({ routes }: Pick<ProbeAnswer, "routes">, inner: ReadonlySet<string>): readonly string[] {
  if (hasWayOut({ routes })) return [];
  return routes
    .filter(({ device }) => !inner.has(device))
    .map(({ destination, device }) => `${destination} by ${device}`);
}

/** What the host itself sends, to show that a packet that leaves is seen: each time to another address. */
export function sendingsOfHost(time: number): readonly Sending[] {
  return both(`${OF_HOST}${time + 1}`);
}

/** What a container sends: each to an address of its own, so that a packet tells whose it is, whatever its source is by then. */
export function sendingsOf(container: string, all: readonly string[]): readonly Sending[] {
  return both(`${OF_CONTAINERS}${all.indexOf(container) + 1}`);
}

/** The filter of the capture. */
export const OUTSIDE_FILTER = `net ${OF_HOST}0/24 or net ${OF_CONTAINERS}0/24`;

/** What a capture shows of packets on their way out. */
export interface LeftHost {
  /** Whether each sending of the host was seen. */
  readonly host: readonly boolean[];
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
    host: Array.from({ length: times }, (_, time) => seen(`${OF_HOST}${time + 1}`) !== undefined),
    containers: containers.flatMap((from, index) => {
      const line = seen(`${OF_CONTAINERS}${index + 1}`);
      return line === undefined ? [] : [{ from, line }];
    }),
  };
}

function both(host: string): readonly Sending[] {
  return [
    { host, port: PORT, protocol: "udp", text: MARK },
    { host, port: PORT, protocol: "tcp", text: "" },
  ];
}
