import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWriter, type Writer } from "./writer.ts";

let batches: (readonly number[])[];
let outcomes: (() => Promise<void>)[];
let failures: unknown[];
let writer: Writer<number>;

beforeEach(() => {
  vi.useFakeTimers();
  [batches, outcomes, failures] = [[], [], []];
  writer = createWriter<number>({
    write: async (batch) => {
      batches.push(batch);
      await outcomes.shift()?.();
    },
    maxMessages: 3,
    maxWaitMs: 50,
    onFailure: (thrown) => failures.push(thrown),
  });
});
afterEach(() => vi.useRealTimers());
const fails = () => Promise.reject(new Error("away"));

describe("the writer", () => {
  it("waits for a full batch, but not longer than it may", async () => {
    writer.add([1]);
    await vi.advanceTimersByTimeAsync(49);
    expect(batches).toEqual([]);
    writer.add([2]);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches).toEqual([[1, 2]]);
  });

  it("writes a full batch at once, and never more in one", async () => {
    writer.add([1, 2, 3, 4, 5, 6, 7]);
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it("writes one batch at a time, and then at once what came meanwhile", async () => {
    let finish: () => void = () => undefined;
    outcomes.push(() => new Promise((resolve) => (finish = resolve)));
    writer.add([1, 2, 3]);
    writer.add([4]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toEqual([[1, 2, 3]]);
    finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  it("tries a batch again until it is written, in order, and loses nothing", async () => {
    vi.useRealTimers();
    outcomes.push(fails, fails);
    writer.add([1, 2, 3, 4]);
    await expect.poll(() => batches).toEqual([[1, 2, 3], [1, 2, 3], [1, 2, 3], [4]]);
    expect(failures).toHaveLength(2);
  });

  it("writes an empty batch when it is nudged, and no second one", async () => {
    writer.nudge();
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toEqual([[]]);
    writer.add([1]);
    writer.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[], [1]]);
  });

  it("writes nothing more once stopped, and waits for what is under way", async () => {
    outcomes.push(fails);
    writer.add([1, 2, 3, 4]);
    await vi.advanceTimersByTimeAsync(1);
    await writer.stop();
    writer.add([5, 6, 7]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(batches).toEqual([[1, 2, 3]]);
  });
});
