import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createLoginRoom } from "./login-room.ts";

class Visitor extends EventEmitter {
  readonly destroy = vi.fn<() => this>();
}
const visitors = (count: number): Visitor[] => Array.from({ length: count }, () => new Visitor());
const destroyed = (all: readonly Visitor[]): boolean[] => all.map(({ destroy }) => destroy.mock.calls.length > 0);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("ends the connection that has waited longest when another one comes and it is full", () => {
  const room = createLoginRoom(2, 1000);
  const all = visitors(3);
  for (const visitor of all) room.enter(visitor as never);
  expect(destroyed(all)).toEqual([true, false, false]);
});

it("has room again for each that has logged in or has gone", () => {
  const room = createLoginRoom(2, 1000);
  const [first, second, third, fourth] = visitors(4) as [Visitor, Visitor, Visitor, Visitor];
  room.enter(first as never);
  room.enter(second as never);
  room.leave(first as never);
  second.emit("close");
  room.enter(third as never);
  room.enter(fourth as never);
  expect(destroyed([first, second, third, fourth])).toEqual([false, false, false, false]);
});

it("ends a login that takes too long, but no client that is let in", () => {
  const room = createLoginRoom(2, 1000);
  const [slow, quick] = visitors(2) as [Visitor, Visitor];
  room.enter(slow as never);
  room.enter(quick as never);
  room.leave(quick as never);
  vi.advanceTimersByTime(999);
  expect(destroyed([slow, quick])).toEqual([false, false]);
  vi.advanceTimersByTime(1);
  expect(destroyed([slow, quick])).toEqual([true, false]);
});
