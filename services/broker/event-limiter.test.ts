import { describe, expect, test } from "vitest";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { createEventLimiter } from "./event-limiter.ts";

const event = (actor: string): SecurityEventInput => ({
  kind: "AUTH_FAILED",
  actor,
  sourceAddress: "192.0.2.1",
  object: "connection",
  reason: "identity",
});

describe("the limiter of security events", () => {
  test("emits the first at once and the rest as one with their number", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each));
    for (let round = 0; round < 1000; round++) limiter.report(event("gw-01"));
    expect(emitted).toEqual([event("gw-01")]);
    limiter.flush();
    expect(emitted[1]).toEqual({ ...event("gw-01"), count: 999 });
    limiter.flush();
    expect(emitted).toHaveLength(2);
  });

  test("loses none: the numbers add up", () => {
    let total = 0;
    const limiter = createEventLimiter(({ count }) => (total += count ?? 1), 4);
    for (let round = 0; round < 500; round++) {
      limiter.report(event(`gw-${round % 20}`));
      if (round % 100 === 99) limiter.flush();
    }
    expect(total).toBe(500);
  });

  test("does not grow with the number of actors", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each), 8);
    for (let actor = 0; actor < 10_000; actor++) limiter.report(event(`gw-${actor}`));
    expect(emitted).toHaveLength(9);
    expect(emitted[8]).toMatchObject({ actor: "many", object: "many" });
  });

  test("emits at once again after a quiet window", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each));
    limiter.report(event("gw-01"));
    limiter.flush();
    limiter.report(event("gw-01"));
    expect(emitted).toHaveLength(2);
  });
});
