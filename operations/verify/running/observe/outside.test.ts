import { expect, it } from "vitest";
import { inTurn } from "./in-turn.ts";
import { hasWayOut, otherRoutes, sendingsOf, sendingsOfHost, whatLeft } from "./outside.ts";

const INNER = new Set(["tkf-0123456789", "docker0"]);
const NOTHING = { four: false, six: false };
const line = (device: string, direction: string, packet: string) => `12:00:00.000001 ${device} ${direction} ${packet}`;
const packet = (to: string) => `IP 10.213.0.2.4000 > ${to}.9: UDP, length 16`;
const left = (...lines: readonly string[]) => whatLeft(lines.join("\n"), INNER, 2, ["gw-01", "broker"]);

it("gives each sender an address of its own", () => {
  const to = [
    ...sendingsOfHost(0),
    ...sendingsOfHost(1),
    ...sendingsOf("a", ["a", "b"]),
    ...sendingsOf("b", ["a", "b"]),
  ];
  // One by IPv4 and one by IPv6.
  expect(new Set(to.map(({ host }) => host)).size).toBe(8);
  for (const port of [9, 53, 80, 123, 443]) expect(to.filter((one) => one.port === port).length).toBeGreaterThan(7);
});

it("sees what goes out by an interface that is not Docker's, and whose it is", () => {
  const seen = left(line("eth0", "Out", packet("198.51.100.2")), line("eth0", "Out", packet("192.0.2.1")));
  expect(seen.containers.map(({ from }) => from)).toEqual(["broker"]);
  expect(seen.host.map(({ four }) => four)).toEqual([true, false]);
  expect(seen.host.some(({ six }) => six)).toBe(false);
});

it("sees a packet whose source was rewritten, and the question for its next hop", () => {
  expect(left(line("eth0", "Out", "IP 203.0.113.1.4000 > 198.51.100.1.9: tcp 0")).containers).toHaveLength(1);
  expect(
    left(line("eth0", "Out", "ARP, Request who-has 198.51.100.1 tell 203.0.113.1, length 28")).containers,
  ).toHaveLength(1);
});

it("sees what leaves by IPv6, and whose it is", () => {
  const to = (address: string, port: number) => line("eth0", "Out", `IP6 fd00::2.4000 > ${address}.${port}: tcp 0`);
  const seen = left(to("2001:db8:0:2::2", 443), to("2001:db8:0:1::1", 53));
  expect(seen.containers.map(({ from }) => from)).toEqual(["broker"]);
  expect(seen.host).toEqual([{ four: false, six: true }, NOTHING]);
});

it.each([
  ["came in from a container", line("tkf-0123456789", "In", packet("198.51.100.1"))],
  ["went from one bridge to another", line("docker0", "Out", packet("198.51.100.1"))],
  ["went to a container", line("veth12ab34c", "Out", packet("198.51.100.1"))],
  ["came in from outside", line("eth0", "In", packet("198.51.100.1"))],
  ["was for somebody else", line("eth0", "Out", packet("198.51.100.12"))],
  ["is no packet", "tcpdump: listening on any"],
])("does not take for gone what %s", (_, text) => {
  expect(left(text)).toEqual({ host: [NOTHING, NOTHING], containers: [] });
});

it("knows a host from which nothing can go, and one with other ways", () => {
  const route = (destination: string, device: string) => ({ destination, gateway: "0.0.0.0", device });
  const bridges = [route("10.213.0.0/29", "tkf-0123456789")];
  expect([hasWayOut({ routes: bridges }), otherRoutes({ routes: bridges }, INNER)]).toEqual([false, []]);
  const site = [...bridges, route("10.0.0.0/8", "eth0")];
  expect([hasWayOut({ routes: site }), otherRoutes({ routes: site }, INNER)]).toEqual([false, ["10.0.0.0/8 by eth0"]]);
  expect(hasWayOut({ routes: [route("default", "eth0")] })).toBe(true);
  const six = [{ destination: "default", gateway: "fe80::1", device: "eth0" }];
  expect([hasWayOut({ routes: six }), hasWayOut({ routes: six }, "six")]).toEqual([false, true]);
});

it("works through all, at most so many at a time, and keeps their order", async () => {
  let now = 0;
  let most = 0;
  const results = await inTurn([3, 1, 2, 0, 1], 2, async (wait) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, wait));
    now -= 1;
    return wait * 2;
  });
  expect([results, most]).toEqual([[6, 2, 4, 0, 2], 2]);
});
