import { expect, it } from "vitest";
import { createFloodLimit } from "./flood-limit.ts";

function setup() {
  let time = 0;
  const limit = createFloodLimit({ perSecond: 10, burst: 3, now: () => time });
  return { limit, wait: (ms: number) => (time += ms) };
}

it("admits a burst, then as many a second as is allowed", () => {
  const { limit, wait } = setup();
  expect([1, 2, 3, 4].map(() => limit.admit("a"))).toEqual([true, true, true, false]);
  wait(100);
  expect([limit.admit("a"), limit.admit("a")]).toEqual([true, false]);
});

it("does not let one address use up another's share", () => {
  const { limit } = setup();
  for (let i = 0; i < 9; i++) limit.admit("a");
  expect(limit.admit("b")).toBe(true);
});

it("gives no more than a burst after a long silence", () => {
  const { limit, wait } = setup();
  wait(1_000_000);
  expect([1, 2, 3, 4].map(() => limit.admit("a"))).toEqual([true, true, true, false]);
});

it("tells once how often it turned an address away", () => {
  const { limit } = setup();
  for (let i = 0; i < 5; i++) limit.admit("a");
  expect([...limit.takeDropped()]).toEqual([["a", 2]]);
  expect([...limit.takeDropped()]).toEqual([]);
});

it("forgets addresses when there are too many, and does not grow", () => {
  const { limit } = setup();
  for (let i = 0; i < 4; i++) limit.admit("first");
  for (let i = 0; i < 10_000; i++) limit.admit(`other ${i}`);
  expect(limit.admit("first")).toBe(true);
});
