import { describe, expect, test } from "vitest";
import { createEventLimiter } from "./event-limiter.ts";
import type { SecurityEventInput } from "./security-events.ts";

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

  test("adds up the numbers of events that stand for several already", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each), 1);
    for (const actor of ["gw-01", "gw-01", "gw-01", "gw-02", "gw-03"]) limiter.report({ ...event(actor), count: 10 });
    limiter.flush();
    expect(emitted.map(({ actor, count }) => [actor, count])).toEqual([
      ["gw-01", 10],
      ["many", 10],
      ["gw-01", 20],
      ["many", 10],
    ]);
  });

  test("names no object and no envelope for several that differ in them", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each));
    for (const digest of ["aa", "bb", "cc"])
      limiter.report({ ...event("gw-01"), object: digest, correlationId: digest });
    limiter.flush();
    expect(emitted).toMatchObject([
      { object: "aa", correlationId: "aa" },
      { object: "many", correlationId: null, count: 2 },
    ]);
  });

  test("names the one that it held back", () => {
    const emitted: SecurityEventInput[] = [];
    const limiter = createEventLimiter((each) => emitted.push(each));
    for (const digest of ["aa", "bb"]) limiter.report({ ...event("gw-01"), correlationId: digest });
    limiter.flush();
    expect(emitted).toMatchObject([{ correlationId: "aa" }, { correlationId: "bb" }]);
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
