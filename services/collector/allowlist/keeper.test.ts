import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AllowlistCopy } from "./copy.ts";
import { type AllowlistKeeper, createAllowlistKeeper } from "./keeper.ts";

let starts: number[];
let answer: () => Promise<string>;
let events: string[];
let keeper: AllowlistKeeper;

beforeEach(() => {
  vi.useFakeTimers({ now: 10_000 });
  [starts, events] = [[], []];
  answer = async () => "list";
  let held: string | null = null;
  const copy: AllowlistCopy = {
    dsse: () => held,
    document: () => null,
    version: () => 1,
    take: (dsse) => {
      if (dsse === "bad") throw new Error("refused");
      const changed = dsse !== held;
      held = dsse;
      return changed;
    },
  };
  keeper = createAllowlistKeeper({
    copy,
    fetch: () => {
      starts.push(Date.now() - 10_000);
      return answer();
    },
    now: Date.now,
    intervalMs: 2000,
    minGapMs: 250,
    onChange: () => events.push("change"),
    onFresh: () => events.push("fresh"),
    onFailure: (thrown) => events.push(String(thrown)),
  });
});
afterEach(() => {
  keeper.stop();
  vi.useRealTimers();
});

describe("the allowlist keeper", () => {
  it("fetches at once and then every interval, and tells a change once", async () => {
    await vi.advanceTimersByTimeAsync(4000);
    expect(starts).toEqual([0, 2000, 4000]);
    expect(events).toEqual(["change", "fresh", "fresh", "fresh"]);
  });

  it("is fresh since the start of the fetch, not since its end", async () => {
    expect(keeper.freshSince()).toBe(0);
    answer = () => new Promise((resolve) => setTimeout(resolve, 100, "list"));
    await vi.advanceTimersByTimeAsync(50);
    expect(keeper.freshSince()).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(keeper.freshSince()).toBe(10_000);
  });

  it("fetches sooner when asked, and never more often than its limit", async () => {
    await vi.advanceTimersByTimeAsync(1000);
    for (let n = 0; n < 100; n++) {
      keeper.refresh();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(starts).toEqual([0, 1000, 1250, 1500, 1750, 2000]);
  });

  it("fetches again when it was asked during a fetch", async () => {
    answer = () => new Promise((resolve) => setTimeout(resolve, 600, "list"));
    await vi.advanceTimersByTimeAsync(100);
    keeper.refresh();
    await vi.advanceTimersByTimeAsync(600);
    expect(starts).toHaveLength(2);
    expect(starts[1]).toBeLessThan(610);
  });

  it("is no fresher after a fetch that failed or a list that was refused, tells each failure once, and goes on", async () => {
    answer = async () => "bad";
    await vi.advanceTimersByTimeAsync(4000);
    expect(events).toEqual(["Error: refused"]);
    expect(keeper.freshSince()).toBe(0);
    answer = () => Promise.reject(new Error("away"));
    await vi.advanceTimersByTimeAsync(2000);
    expect(events).toEqual(["Error: refused", "Error: away"]);
    expect(keeper.failure()).toEqual(new Error("away"));
    answer = async () => "list";
    await vi.advanceTimersByTimeAsync(2000);
    expect(keeper.failure()).toBeNull();
    expect(keeper.freshSince()).toBe(18_000);
  });

  it("fetches no more once stopped", async () => {
    keeper.stop();
    keeper.refresh();
    await vi.advanceTimersByTimeAsync(5000);
    expect(starts).toEqual([]);
  });
});
