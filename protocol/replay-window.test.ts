import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideReplay, REPLAY_WINDOW, type ReplayState } from "./replay-window.ts";

type Message = readonly [bootId: number, seq: number, digest?: string];

/** Verdicts of messages in order, and the state after the last. */
function run(messages: readonly Message[]) {
  let state: ReplayState | undefined;
  const verdicts = messages.map(([bootId, seq, digest = `${bootId}/${seq}`]) => {
    const decision = decideReplay(state, bootId, seq, digest);
    state = JSON.parse(JSON.stringify(decision.next));
    return decision.verdict;
  });
  return { verdicts, state };
}

const last = (...messages: readonly Message[]) => run(messages).verdicts.at(-1);

describe("a gateway's replay window", () => {
  it("accepts the first message of a sensor, whatever its numbers", () =>
    expect(last([2 ** 32 - 1, 2 ** 32 - 1])).toBe("accepted"));
  it("accepts to the right of the window, however far", () => expect(last([1, 0], [1, 2 ** 32 - 1])).toBe("accepted"));
  it("accepts its left edge", () => expect(last([1, 200], [1, 137])).toBe("accepted"));
  it("accepts a message out of order inside", () => expect(last([1, 7], [1, 9], [1, 8])).toBe("accepted"));
  it("starts anew with a greater boot", () => expect(last([1, 200], [2, 0])).toBe("accepted"));

  it("rejects left of its left edge", () => expect(last([1, 200], [1, 136])).toBe("replay"));
  it("rejects a smaller boot", () => expect(last([2, 1], [1, 2])).toBe("replay"));
  it("rejects other bytes under a number that it accepted", () => expect(last([1, 5], [1, 5, "other"])).toBe("replay"));
  it("calls the very same bytes a duplicate", () => expect(last([1, 5], [1, 9], [1, 5])).toBe("duplicate"));
  it("forgets digests left of the window", () => expect(last([1, 5], [1, 69], [1, 5])).toBe("replay"));
  it("forgets digests of the boot before", () => expect(last([1, 5], [2, 5], [1, 5])).toBe("replay"));
  it("does not take another boot's message for the same", () =>
    expect(last([1, 5, "d"], [2, 5, "d"])).toBe("accepted"));

  it.each<readonly Message[]>([
    [
      [1, 200],
      [1, 136],
    ],
    [
      [2, 1],
      [1, 9],
    ],
    [
      [1, 5],
      [1, 5],
    ],
    [
      [1, 5],
      [1, 5, "other"],
    ],
  ])("leaves its state alone when it rejects %j after %j", (before, after) => {
    const { state } = run([before]);
    expect(decideReplay(state, after[0], after[1], after[2] ?? `${after[0]}/${after[1]}`).next).toBe(state);
  });

  it("accepts each number of a boot at most once, in any order, and remembers 64 at most", () => {
    const message = fc.tuple(fc.nat(3), fc.nat(200));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 300 }), (messages) => {
        const { verdicts, state } = run(messages);
        const accepted = messages.filter((_, i) => verdicts[i] === "accepted").map(String);
        expect(new Set(accepted).size).toBe(accepted.length);
        expect(Object.keys(state?.digests ?? {}).length).toBeLessThanOrEqual(REPLAY_WINDOW);
      }),
    );
  });

  it("decides as a gateway that remembers everything", () => {
    const message = fc.tuple(fc.nat(2), fc.nat(150), fc.constantFrom("a", "b"));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
        const accepted: (typeof messages)[number][] = [];
        const expected = messages.map((each) => {
          const [bootId, seq, digest] = each;
          const boot = Math.max(-1, ...accepted.map(([known]) => known));
          const highest = Math.max(-1, ...accepted.filter(([known]) => known === boot).map(([, known]) => known));
          if (bootId < boot || (bootId === boot && seq + REPLAY_WINDOW <= highest)) return "replay";
          const before = accepted.find(([knownBoot, known]) => knownBoot === bootId && known === seq);
          if (before) return before[2] === digest ? "duplicate" : "replay";
          accepted.push(each);
          return "accepted";
        });
        expect(run(messages).verdicts).toEqual(expected);
      }),
    );
  });
});
