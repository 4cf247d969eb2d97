import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { ProbeAnswer } from "./prober.ts";

/** State of a listening TCP socket, and of a UDP socket that is bound and not connected (linux/include/net/tcp_states.h). */
const OPEN = { tcp: "0A", udp: "07" } as const;

/** Where programs listen, from the tables of `/proc/net` (proc_pid_net(5)). */
export function listeners(read = readTable): ProbeAnswer["listeners"] {
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    ["", "6"].flatMap((family) =>
      rows(read(`${protocol}${family}`)).flatMap(([, local = "", , state]) => {
        const [address = "", port = ""] = local.split(":");
        return state === OPEN[protocol]
          ? [{ protocol, address: addressOf(address), port: Number.parseInt(port, 16) }]
          : [];
      }),
    ),
  );
}

/** Where the namespace's IPv4 and IPv6 routes lead, loopback and link-local ones left out. */
export function routes(read = readTable): ProbeAnswer["routes"] {
  const four = rows(read("route")).map(([device = "", destination = "", gateway = "", , , , , mask = ""]) => ({
    destination: mask === "00000000" ? "default" : `${addressOf(destination)}/${bitsOf(mask)}`,
    gateway: addressOf(gateway),
    device,
  }));
  // This table alone has no line of headings.
  const six = lines(read("ipv6_route")).map(([destination = "", length = "", , , gateway = "", ...rest]) => ({
    destination: length === "00" ? "default" : `${addressOf(destination, false)}/${Number.parseInt(length, 16)}`,
    gateway: addressOf(gateway, false),
    device: rest.at(-1) ?? "",
  }));
  return [...four, ...six].filter(({ destination, device }) => device !== "lo" && !/^(?:fe80|ff00):/.test(destination));
}

/** The namespace's own addresses. */
export function addresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) =>
    (each ?? []).flatMap(({ address, internal }) => (internal ? [] : [address])),
  );
}

function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, "utf8");
  } catch (thrown) {
    // A kernel without IPv6 has no tables of it.
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw thrown;
  }
}

function rows(table: string): readonly (readonly string[])[] {
  return lines(table).slice(1);
}

function lines(table: string): readonly (readonly string[])[] {
  return table
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}

/** An address as the kernel prints it: words of 32 bits, in the tables of sockets and IPv4 with their bytes reversed. */
function addressOf(hex: string, reversed = true): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const four = [...Buffer.from(word, "hex")];
    return reversed ? four.reverse() : four;
  });
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(":").replace(/(?:^|:)0(?::0)+(?:$|:)/, "::");
}

function bitsOf(mask: string): number {
  return Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length;
}
