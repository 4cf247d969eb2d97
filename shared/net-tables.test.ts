import { expect, it } from "vitest";
import { listeners, routes } from "./net-tables.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0204D50A:22B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 1 1 0
   1: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 2 1 0
   2: 0204D50A:22B3 0304D50A:9C40 01 00000000:00000000 00:00000000 00000000 10001        0 3 1 0
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 0000000000000000FFFF00000204D50A:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000
`;
const UDP = `  sl  local_address rem_address   st
   0: 00000000:1633 00000000:0000 07
   1: 0100007F:1634 0100007F:1635 01
`;
const ROUTE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0904D50A	0003	0	0	0	00000000	0	0	0
eth0	0804D50A	00000000	0001	0	0	0	F8FFFFFF	0	0	0
`;
const ROUTE6 = `fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

const reading =
  (tables: Readonly<Record<string, string>>) =>
  (name: string): string =>
    tables[name] ?? "";

it("finds what listens, on IPv4 and IPv6, and no connection", () => {
  expect(listeners(reading({ tcp: TCP, tcp6: TCP6, udp: UDP }))).toEqual([
    { protocol: "tcp", address: "10.213.4.2", port: 8883 },
    { protocol: "tcp", address: "127.0.0.1", port: 631 },
    { protocol: "tcp", address: "::", port: 8080 },
    { protocol: "tcp", address: "::1", port: 8081 },
    { protocol: "tcp", address: "10.213.4.2", port: 8082 },
    { protocol: "udp", address: "0.0.0.0", port: 5683 },
  ]);
});

it("finds a default route of either family, and leaves loopback and link-local ones out", () => {
  expect(routes(reading({ route: ROUTE, ipv6_route: ROUTE6 }))).toEqual([
    { destination: "default", gateway: "10.213.4.9", device: "eth0" },
    { destination: "10.213.4.8/29", gateway: "0.0.0.0", device: "eth0" },
    { destination: "default", gateway: "fd00::1", device: "eth0" },
  ]);
});

it("finds nothing in a namespace without tables", () => {
  expect([listeners(reading({})), routes(reading({}))]).toEqual([[], []]);
});
