import { describe, expect, it } from "vitest";
import { bytesLine, bytesView } from "./bytes-view.ts";
import type { GlobalFlags } from "./command.ts";

/** A view whose clock the test moves, and what it printed. */
function viewed(progress: GlobalFlags["progress"], terminal = false) {
  let [clock, printed] = [0, ""];
  const io = {
    stderr: (text: string) => {
      printed += text;
    },
    isTerminal: { stdin: false, stdout: false, stderr: terminal },
    now: () => new Date(clock),
  };
  const view = bytesView({ io, flags: { progress } } as Parameters<typeof bytesView>[0]);
  const at = (seconds: number, bytes: number): void => {
    clock = seconds * 1000;
    view.onBytes({ bytes, of: 1000 });
  };
  return { view, at, printed: () => printed };
}

describe("bytesLine", () => {
  it("says what is done, of how much, and how long the rest takes at the speed so far", () => {
    expect(bytesLine("packing", { bytes: 256, of: 1024 }, 10)).toBe("packing: 256 B of 1.0 KiB, 25 %, 30 s left");
    expect(bytesLine("packing", { bytes: 3, of: 1000 }, 3)).toMatch(/, 17 min left$/);
  });

  it("promises no time before there is a speed", () => {
    expect(bytesLine("packing", { bytes: 0, of: 10 }, 60)).toBe("packing: 0 B of 10 B, 0 %");
    expect(bytesLine("packing", { bytes: 5, of: 10 }, 2.9)).toBe("packing: 5 B of 10 B, 50 %");
  });

  it("divides nothing by nothing", () => {
    expect(bytesLine("packing", { bytes: 0, of: 0 }, 9)).toBe("packing: 0 B of 0 B, 100 %");
  });
});

describe("bytesView", () => {
  it("prints a line every 5 s off a terminal, and not more", () => {
    const { view, at, printed } = viewed("auto");
    view.begin("packing");
    for (let second = 0; second <= 12; second++) at(second, second * 10);
    view.stop();
    expect(printed().split("\n")).toEqual([
      "packing: 50 B of 1000 B, 5 %, 95 s left",
      "packing: 100 B of 1000 B, 10 %, 90 s left",
      "",
    ]);
  });

  it("counts the time of each step from its own beginning", () => {
    const { view, at, printed } = viewed("plain");
    view.begin("one");
    at(100, 900);
    view.begin("two");
    at(110, 500);
    expect(printed()).toContain("two: 500 B of 1000 B, 50 %, 10 s left\n");
  });

  it("leaves 100 % on a terminal, also right after the line before", () => {
    const { view, at, printed } = viewed("auto", true);
    view.begin("packing");
    at(10, 990);
    at(10.1, 1000);
    view.stop();
    expect(printed()).toMatch(/packing: 1000 B of 1000 B, 100 %\n$/);
  });

  it("draws over one line on a terminal, and ends it", () => {
    const { view, at, printed } = viewed("auto", true);
    view.begin("packing");
    at(2, 10);
    at(4, 20);
    view.stop();
    view.stop();
    expect(printed().match(/\r/g)).toHaveLength(2);
    expect(printed().match(/\n/g)).toHaveLength(1);
  });

  it("gives documents with --progress json, and nothing with quiet", () => {
    const { view, at, printed } = viewed("json");
    view.begin("packing");
    at(4, 500);
    expect(JSON.parse(printed())).toEqual({ progress: "packing", bytes: 500, of: 1000, secondsLeft: 4 });
    const quiet = viewed("quiet", true);
    quiet.view.begin("packing");
    quiet.at(9, 500);
    quiet.view.stop();
    expect(quiet.printed()).toBe("");
  });
});
