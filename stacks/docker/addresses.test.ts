import fc from "fast-check";
import { expect, it } from "vitest";
import { withSubnets } from "./addresses.ts";

const POOL = "10.213.0.0/16";
const cut = (names: readonly string[], pool = POOL) =>
  new Map(
    withSubnets(
      names.map((name) => ({ name })),
      pool,
    ).map(({ name, subnet }) => [name, subnet.cidr]),
  );
const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9_-]{1,12}$/), { maxLength: 60 });

it("gives every network a subnet of the pool, and none the subnet of another", () => {
  fc.assert(
    fc.property(names, (all) => {
      const subnets = [...cut(all).values()];
      expect(new Set(subnets).size).toBe(all.length);
      for (const subnet of subnets) expect(subnet).toMatch(/^10\.213\.\d{1,3}\.\d{1,3}\/29$/);
      for (const subnet of subnets) expect(Number(subnet.split(/[./]/)[3]) % 8).toBe(0);
    }),
  );
});

it("gives the same subnets whatever the order", () => {
  fc.assert(
    fc.property(names, (all) => {
      expect(cut(all.toReversed())).toEqual(cut(all));
    }),
  );
});

it("moves none when another goes but those that had to give way, and comes back to the same when it returns", () => {
  const crowded = "10.0.0.0/24";
  const some = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(some, (all) => {
      const [gone = "", ...rest] = all;
      const before = cut(all, crowded);
      for (const [name, subnet] of cut(rest, crowded)) {
        if (subnet === before.get(name)) continue;
        expect(before.get(name)).not.toBe(cut([name], crowded).get(name));
        expect(name > gone).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

it("keeps a network where it is from release to release, beside whatever others", () => {
  const others = Array.from({ length: 20 }, (_, index) => `flow-${index}`);
  const name = "collector_broker_mqtts";
  expect(cut([name]).get(name)).toBe("10.213.239.200/29");
  expect(cut([...others, name]).get(name)).toBe("10.213.239.200/29");
});

it("fills a pool to its last subnet, and refuses one more", () => {
  const four = ["a", "b", "c", "d"];
  expect([...cut(four, "10.0.0.0/27").values()].sort()).toEqual([
    "10.0.0.0/29",
    "10.0.0.16/29",
    "10.0.0.24/29",
    "10.0.0.8/29",
  ]);
  expect(() => cut([...four, "e"], "10.0.0.0/27")).toThrow(expect.objectContaining({ code: "DOCKER_SUBNETS_FULL" }));
});

it.each(["10.0.0.0/30", "10.0.0.0/32"])("refuses a pool without room for one network: %s", (pool) => {
  expect(() => cut(["a"], pool)).toThrow(expect.objectContaining({ code: "DOCKER_SUBNETS_FULL" }));
});

it("gives the bridge the first address", () => {
  const [network] = withSubnets([{ name: "a" }], "10.0.0.0/29");
  expect(network?.subnet).toEqual({ cidr: "10.0.0.0/29", gateway: "10.0.0.1" });
});
