import { describe, expect, it } from "vitest";
import type { Member } from "./fleet.ts";
import { allFollow } from "./machine.ts";
import { assertSomebodyRuns } from "./running.ts";

const silent: Member = {
  name: "backend",
  anchors: undefined,
  certificates: undefined,
  clientAuthorities: "none",
  authority: "none",
  pins: "none",
};

describe("a rotation", () => {
  it("is not begun where nobody on this host answers, whatever gateways elsewhere said", () => {
    const gateway: Member = { ...silent, name: "gw-77", anchors: ["0a"], elsewhere: { authority: undefined } };
    for (const members of [[silent], [silent, { ...silent, name: "broker" }], [silent, gateway]]) {
      expect(() => assertSomebodyRuns(members)).toThrow(
        expect.objectContaining({ code: "ROTATION_NOT_RUNNING", message: expect.stringContaining("backend") }),
      );
    }
  });

  it.each<Partial<Member>>([{ anchors: [] }, { certificates: ["0b"] }, { pins: ["0c"] }])(
    "is begun where one component has %o",
    (has) => expect(() => assertSomebodyRuns([silent, { ...silent, name: "broker", ...has }])).not.toThrow(),
  );

  it("says every 10 s of a wait whom it is for, each once", async () => {
    let now = 0;
    const told: unknown[] = [];
    const look = async (): Promise<readonly string[]> => {
      now += 4_000;
      if (now > 30_000) return [];
      return now > 16_000 ? ["gw-01", "gw-01"] : ["broker", "gw-01"];
    };
    const run = {
      clock: () => new Date(now),
      signal: new AbortController().signal,
      pollMs: 1,
      apply: async () => undefined,
      onWaiting: (names: readonly string[], seconds: number) => told.push([names, seconds]),
    };
    await allFollow(run, "prove-trust", look);
    expect(told).toEqual([
      [["broker", "gw-01"], 12],
      [["gw-01"], 24],
    ]);
  });

  it("says nothing where everybody has followed", async () => {
    const told: unknown[] = [];
    const run = { clock: () => new Date(0), signal: new AbortController().signal, apply: async () => undefined };
    await allFollow({ ...run, onWaiting: () => told.push(1) }, "prove-trust", async () => []);
    expect(told).toEqual([]);
  });
});
