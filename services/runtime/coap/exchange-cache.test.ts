import { expect, it } from "vitest";
import { createExchangeCache } from "./exchange-cache.ts";

function setup(maxExchanges = 2) {
  let time = 0;
  const cache = createExchangeCache({ maxExchanges, lifetimeMs: 1000, now: () => time });
  return { cache, wait: (ms: number) => (time += ms) };
}

it("does not begin an exchange twice while its answer is worked on", () => {
  const { cache } = setup();
  expect([cache.begin("a"), cache.begin("a")]).toEqual(["new", "pending"]);
});

it("gives the same answer to a repeated datagram", () => {
  const { cache } = setup();
  cache.begin("a");
  cache.finish("a", Buffer.from("answer"));
  expect(cache.begin("a")).toEqual(Buffer.from("answer"));
});

it("takes a message id for a new message after its lifetime", () => {
  const { cache, wait } = setup();
  cache.begin("a");
  wait(1001);
  expect(cache.begin("a")).toBe("new");
});

it("remembers no more exchanges than its bound", () => {
  const { cache } = setup();
  for (const key of ["a", "b", "c"]) cache.begin(key);
  expect([cache.begin("c"), cache.begin("a")]).toEqual(["pending", "new"]);
});

it("ignores the answer of an exchange that it has forgotten", () => {
  const { cache } = setup(1);
  cache.begin("a");
  cache.begin("b");
  cache.finish("a", Buffer.from("late"));
  expect(cache.begin("a")).toBe("new");
});
