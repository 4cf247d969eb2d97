import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideOrder, FLOOR_AGE_MS, type SensorOrder } from "./collector-order.ts";

type Message = readonly [bootId: number, seq: number, nowMs?: number, digest?: string];

function run(messages: readonly Message[]) {
  let state: SensorOrder | undefined;
  return messages.map(([bootId, seq, nowMs = 0, digest = `${bootId}/${seq}`]) => {
    const { verdict, late, next } = decideOrder(state, { bootId, seq, digest, nowMs });
    state = JSON.parse(JSON.stringify(next));
    return late ? "late" : verdict;
  });
}

const last = (...messages: readonly Message[]) => run(messages).at(-1);
const DAY = 86_400_000;

describe("a collector's order", () => {
  it("accepts everything that it never stored, in any order", () => {
    expect(
      run([
        [1, 5],
        [1, 7],
        [1, 6],
        [2, 1],
        [2, 0],
      ]),
    ).toEqual(Array(5).fill("accepted"));
  });

  it("is not late 63 behind", () => expect(last([1, 200], [1, 137])).toBe("accepted"));
  it("is late 64 behind", () => expect(last([1, 200], [1, 136])).toBe("late"));
  it("is late in a smaller boot, even ahead of it", () => expect(last([1, 5], [2, 0], [1, 6])).toBe("late"));
  it("is late in a boot never seen below the greatest", () => expect(last([2, 0], [1, 0])).toBe("late"));

  it("calls the same bytes a duplicate, for ever above the floor", () => {
    expect(last([1, 5], [1, 500], [2, 1], [1, 5])).toBe("duplicate");
    expect(last([1, 5], [1, 5, 400 * DAY])).toBe("duplicate");
  });

  it("calls other bytes under the same numbers a replay", () =>
    expect(last([1, 5], [1, 5, 0, "other"])).toBe("replay"));

  it("takes nothing unseen below the floor", () => {
    expect(last([1, 5], [3, 0], [1, 6, FLOOR_AGE_MS])).toBe("replay");
    expect(last([3, 0], [2, 0, FLOOR_AGE_MS])).toBe("replay");
  });

  it("has no floor before 30 days have gone", () =>
    expect(last([1, 5], [3, 0], [1, 6, FLOOR_AGE_MS - 1])).toBe("late"));
  it("takes messages of the floor's own boot", () => expect(last([3, 0], [3, 1, FLOOR_AGE_MS])).toBe("accepted"));
  it("counts a boot's age from its first message", () => {
    expect(last([3, 0, 0], [3, 1, 29 * DAY], [2, 0, 31 * DAY])).toBe("replay");
    expect(last([1, 0, 0], [3, 0, 29 * DAY], [2, 0, 31 * DAY])).toBe("late");
  });
  it("does not raise the floor by a boot that came late", () => {
    expect(last([1, 0, 0], [5, 0, 10 * DAY], [4, 0, 11 * DAY], [3, 0, 39 * DAY])).toBe("late");
  });

  it("stores each pair of numbers at most once, whatever comes", () => {
    const message = fc.tuple(
      fc.nat(4),
      fc.nat(90),
      fc.nat(60).map((day) => day * DAY),
      fc.constantFrom("a", "b"),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 80 }), (messages) => {
        const ordered = [...messages].sort((a, b) => a[2] - b[2]);
        const verdicts = run(ordered);
        const stored = ordered.filter((_, i) => verdicts[i] === "accepted" || verdicts[i] === "late");
        expect(new Set(stored.map(([bootId, seq]) => `${bootId}/${seq}`)).size).toBe(stored.length);
      }),
    );
  });

  it("stores the same set whatever the order of arrival, while there is no floor", () => {
    const messages = fc.uniqueArray(fc.tuple(fc.nat(3), fc.nat(200)), { selector: String, maxLength: 40 });
    fc.assert(
      fc.property(
        messages.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([, shuffled]) => {
          expect(run(shuffled)).not.toContain("replay");
          expect(run(shuffled)).not.toContain("duplicate");
        },
      ),
    );
  });
});
