import { expect, it } from "vitest";
import { inTurn } from "./in-turn.ts";
import { hasWayOut, otherRoutes, sendingsOf, sendingsOfHost, whatLeft } from "./outside.ts";

const INNER = new Set(["tkf-0123456789", "docker0"]);
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
  expect(new Set(to.map(({ host }) => host)).size).toBe(4);
});

it("sees what goes out by an interface that is not Docker's, and whose it is", () => {
  const seen = left(line("eth0", "Out", packet("198.51.100.2")), line("eth0", "Out", packet("192.0.2.1")));
  expect(seen.containers.map(({ from }) => from)).toEqual(["broker"]);
  expect(seen.host).toEqual([true, false]);
});

it("sees a packet whose source was rewritten, and the question for its next hop", () => {
  expect(left(line("eth0", "Out", "IP 203.0.113.1.4000 > 198.51.100.1.9: tcp 0")).containers).toHaveLength(1);
  expect(
    left(line("eth0", "Out", "ARP, Request who-has 198.51.100.1 tell 203.0.113.1, length 28")).containers,
  ).toHaveLength(1);
});

it.each([
  ["came in from a container", line("tkf-0123456789", "In", packet("198.51.100.1"))],
  ["went from one bridge to another", line("docker0", "Out", packet("198.51.100.1"))],
  ["went to a container", line("veth12ab34c", "Out", packet("198.51.100.1"))],
  ["came in from outside", line("eth0", "In", packet("198.51.100.1"))],
  ["was for somebody else", line("eth0", "Out", packet("198.51.100.12"))],
  ["is no packet", "tcpdump: listening on any"],
])("does not take for gone what %s", (_, text) => {
  expect(left(text)).toEqual({ host: [false, false], containers: [] });
});

it("knows a host from which nothing can go, and one with other ways", () => {
  const route = (destination: string, device: string) => ({ destination, gateway: "0.0.0.0", device });
  const bridges = [route("10.213.0.0/29", "tkf-0123456789")];
  expect([hasWayOut({ routes: bridges }), otherRoutes({ routes: bridges }, INNER)]).toEqual([false, []]);
  const site = [...bridges, route("10.0.0.0/8", "eth0")];
  expect([hasWayOut({ routes: site }), otherRoutes({ routes: site }, INNER)]).toEqual([false, ["10.0.0.0/8 by eth0"]]);
  expect(hasWayOut({ routes: [route("default", "eth0")] })).toBe(true);
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
