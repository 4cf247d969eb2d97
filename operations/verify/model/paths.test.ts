import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../../model/flow.ts";
import type { DataClass } from "../../../model/zones.ts";
import { carriersOf, renderPath, type Step, shortestPath } from "./paths.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g"] as const;

const flows = fc.array(
  fc.record({
    from: fc.constantFrom(...NAMES),
    to: fc.constantFrom(...NAMES),
    port: fc.constantFrom("p", "q"),
    protection: fc.constant("mtls" as const),
    carries: fc.subarray<DataClass>(["plaintext", "metadata"]),
  }),
  { maxLength: 14 },
);
const question = fc.record({
  flows,
  sources: fc.subarray([...NAMES]).map((names) => new Set<string>(names)),
  target: fc.constantFrom(...NAMES),
});

/** By Floyd and Warshall: hops between any two, over flows that carry plaintext in either direction. */
function distances(all: readonly Flow[]): ReadonlyMap<string, number> {
  const hops = new Map<string, number>();
  const between = (from: string, to: string): number => hops.get(from + to) ?? Number.POSITIVE_INFINITY;
  for (const name of NAMES) hops.set(name + name, 0);
  for (const { from, to } of all.filter(({ carries }) => carries.includes("plaintext"))) {
    if (from !== to) hops.set(from + to, 1).set(to + from, 1);
  }
  for (const via of NAMES)
    for (const from of NAMES)
      for (const to of NAMES) hops.set(from + to, Math.min(between(from, to), between(from, via) + between(via, to)));
  return hops;
}

function nearest(all: readonly Flow[], sources: ReadonlySet<string>, target: string): number {
  const hops = distances(all);
  const others = [...sources].filter((name) => name !== target);
  return Math.min(...others.map((name) => hops.get(name + target) ?? Number.POSITIVE_INFINITY));
}

const isReal = (step: Step, all: readonly Flow[]): boolean =>
  all.some(
    ({ from, to, port, carries }) =>
      carries.includes("plaintext") &&
      port === step.port &&
      ((from === step.from && to === step.to) || (from === step.to && to === step.from)),
  );

describe("shortestPath", () => {
  const found = (all: readonly Flow[], sources: ReadonlySet<string>, target: string) =>
    shortestPath(carriersOf(all, "plaintext"), sources, target);

  it("finds a path just where there is one, and none that is longer than it has to be", () => {
    fc.assert(
      fc.property(question, ({ flows: all, sources, target }) => {
        const steps = found(all, sources, target)?.length ?? Number.POSITIVE_INFINITY;
        expect(steps).toBe(nearest(all, sources, target));
      }),
      { numRuns: 600 },
    );
  });

  it("prints flows that are there, one after the other, from a source to the target", () => {
    fc.assert(
      fc.property(question, ({ flows: all, sources, target }) => {
        const path = found(all, sources, target);
        fc.pre(path !== undefined && path.length > 0);
        expect(path?.every((step) => isReal(step, all))).toBe(true);
        expect(path?.slice(1).map(({ from }) => from)).toEqual(path?.slice(0, -1).map(({ to }) => to));
        expect(sources.has(path?.[0]?.from ?? "")).toBe(true);
        expect(path?.at(-1)?.to).toBe(target);
      }),
      { numRuns: 600 },
    );
  });
});

it("is printed in the direction in which the data goes", () => {
  const carries = ["plaintext"] as const;
  const asked: readonly Flow[] = [
    { from: "collector", to: "custody-broker", port: "kem", protection: "unix", carries },
    { from: "custody-broker", to: "custody", port: "kem", protection: "unix", carries },
    { from: "collector", to: "gw-01", port: "https", protection: "mtls", carries },
  ];
  const path = shortestPath(carriersOf(asked, "plaintext"), new Set(["custody"]), "gw-01") ?? [];
  expect(renderPath(path)).toBe("custody -kem-> custody-broker -kem-> collector -https-> gw-01");
});
