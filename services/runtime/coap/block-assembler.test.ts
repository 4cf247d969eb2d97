import { expect, it } from "vitest";
import { createBlockAssembler } from "./block-assembler.ts";

function setup(limits: { maxBodyBytes?: number; maxTransfers?: number } = {}) {
  let time = 0;
  const options = { maxBodyBytes: 64, maxTransfers: 2, lifetimeMs: 1000, now: () => time, ...limits };
  const assembler = createBlockAssembler(options);
  const take = (key: string, number: number, more: boolean, bytes = 16) =>
    assembler.take(key, { number, more, exponent: 0 }, Buffer.alloc(bytes, number + 1));
  return { take, wait: (ms: number) => (time += ms) };
}

it("puts the blocks of a body together in order", () => {
  const { take } = setup();
  expect(take("a", 0, true)).toEqual({ kind: "continue" });
  expect(take("a", 1, false, 5)).toEqual({
    kind: "complete",
    body: Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(5, 2)]),
  });
});

it("starts anew with block 0", () => {
  const { take } = setup();
  take("a", 0, true);
  take("a", 1, true);
  expect(take("a", 0, true)).toEqual({ kind: "continue" });
  expect(take("a", 1, false, 1)).toMatchObject({ kind: "complete", body: { length: 17 } });
});

it("calls a body incomplete when a block is missing, and forgets it", () => {
  const { take } = setup();
  take("a", 0, true);
  expect(take("a", 2, false)).toEqual({ kind: "incomplete" });
  expect(take("a", 1, false)).toEqual({ kind: "incomplete" });
});

it("calls a block incomplete when it is shorter than its size and more follow", () => {
  expect(setup().take("a", 0, true, 15)).toEqual({ kind: "incomplete" });
});

it("calls a block incomplete when it is longer than its size", () => {
  expect(setup().take("a", 0, false, 17)).toEqual({ kind: "incomplete" });
});

it("does not mix the bodies of two endpoints", () => {
  const { take } = setup();
  take("a", 0, true);
  expect(take("b", 1, false)).toEqual({ kind: "incomplete" });
});

it("gives a body back as soon as it outgrows its bound", () => {
  const { take } = setup({ maxBodyBytes: 20 });
  take("a", 0, true);
  expect(take("a", 1, true)).toMatchObject({ kind: "too-large", body: { length: 32 } });
  expect(take("a", 2, true)).toEqual({ kind: "incomplete" });
});

it("holds no more unfinished bodies than its bound, the oldest goes first", () => {
  const { take } = setup();
  for (const key of ["a", "b", "c"]) take(key, 0, true);
  expect(take("a", 1, false)).toEqual({ kind: "incomplete" });
  expect(take("c", 1, false)).toMatchObject({ kind: "complete" });
});

it("forgets an unfinished body after its lifetime", () => {
  const { take, wait } = setup();
  take("a", 0, true);
  wait(1001);
  take("b", 0, true);
  expect(take("a", 1, false)).toEqual({ kind: "incomplete" });
});
