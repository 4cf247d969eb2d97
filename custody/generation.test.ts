import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findCompromised,
  GENERATION_STATES,
  type Generation,
  type GenerationState,
  HPKE_SUITE,
  opensFor,
  planActivation,
  planAddition,
  planCompromise,
  planDestruction,
  planTransition,
  withChanges,
} from "./generation.ts";

const TIME = "2026-01-01T00:00:00.000Z";
const LATER = "2026-02-01T00:00:00.000Z";
const generation = (keyId: string, state: GenerationState, more: Partial<Generation> = {}): Generation => ({
  keyId,
  publicKey: keyId.repeat(4),
  suite: HPKE_SUITE,
  origin: "generated",
  state,
  createdAt: TIME,
  notBefore: TIME,
  ...more,
});
const ALL = GENERATION_STATES.map((state) => generation(state, state));
const declared = (stored: "allow" | "block") => ({ at: LATER, reason: "seen", stored });
const marked = (keyId: string, stored: "allow" | "block") =>
  withChanges(ALL, planCompromise(ALL, keyId, declared(stored), generation("fresh", "active")));
const STATE = expect.objectContaining({ code: "CUSTODY_GENERATION_STATE" });
const UNKNOWN = expect.objectContaining({ code: "CUSTODY_GENERATION_UNKNOWN" });

describe("planTransition", () => {
  it("retires the active generation in the step that activates the next", () => {
    expect(planTransition(ALL, "next", "active")).toEqual([
      { keyId: "active", state: "retired" },
      { keyId: "next", state: "active" },
    ]);
  });

  it.each(["next", "retired"])("lets a %s generation be destroyed, and touches no other", (keyId) => {
    expect(planTransition(ALL, keyId, "destroyed")).toEqual([{ keyId, state: "destroyed" }]);
  });

  it.each([
    ["active", "destroyed"],
    ["active", "active"],
    ["retired", "active"],
    ["destroyed", "active"],
    ["destroyed", "destroyed"],
  ] as const)("refuses %s -> %s", (keyId, to) => {
    expect(() => planTransition(ALL, keyId, to)).toThrow(STATE);
  });

  it("names the known generations when the key id is unknown", () => {
    expect(() => planTransition(ALL, "absent", "active")).toThrow(
      expect.objectContaining({ code: "CUSTODY_GENERATION_UNKNOWN", message: expect.stringContaining("retired") }),
    );
    expect(() => planTransition([], "absent", "active")).toThrow(UNKNOWN);
  });
});

describe("plans of changes", () => {
  it("stamp the time into what changes state, and nothing else", () => {
    expect(planActivation(ALL, "next", LATER)).toEqual([
      generation("active", "retired", { retiredAt: LATER }),
      generation("next", "active", { activatedAt: LATER }),
    ]);
    expect(planDestruction(ALL, "retired", LATER)).toEqual([
      generation("retired", "destroyed", { destroyedAt: LATER }),
    ]);
  });

  it("retire the active generation for one that comes as active, and for no other", () => {
    const fresh = generation("fresh", "active", { createdAt: LATER });
    expect(planAddition(ALL, fresh)).toEqual([generation("active", "retired", { retiredAt: LATER }), fresh]);
    expect(planAddition(ALL, generation("fresh", "retired"))).toEqual([generation("fresh", "retired")]);
    expect(planAddition([], fresh)).toEqual([fresh]);
  });

  it.each([
    ["activate what is active", () => planActivation(ALL, "active", LATER)],
    ["activate what is destroyed", () => planActivation(ALL, "destroyed", LATER)],
    ["activate what is compromised", () => planActivation(marked("next", "allow"), "next", LATER)],
    ["destroy what is active", () => planDestruction(ALL, "active", LATER)],
    ["destroy what is destroyed", () => planDestruction(ALL, "destroyed", LATER)],
    ["compromise what is destroyed", () => findCompromised(ALL, "destroyed", declared("block"))],
    ["compromise twice", () => findCompromised(marked("next", "block"), "next", declared("block"))],
    ["allow what was blocked", () => findCompromised(marked("next", "block"), "next", declared("allow"))],
    ["allow what was allowed", () => findCompromised(marked("active", "allow"), "active", declared("allow"))],
  ])("refuse to %s", (_, plan) => {
    expect(plan).toThrow(STATE);
  });

  it("refuse a generation that nobody knows", () => {
    for (const plan of [planActivation, planDestruction]) expect(() => plan(ALL, "absent", LATER)).toThrow(UNKNOWN);
    expect(() => findCompromised(ALL, "absent", declared("block"))).toThrow(UNKNOWN);
  });

  it("put a replacement in the place of the active generation alone", () => {
    expect(marked("active", "block").map(({ keyId, state }) => `${keyId} ${state}`)).toEqual([
      "next next",
      "active retired",
      "retired retired",
      "destroyed destroyed",
      "fresh active",
    ]);
    expect(marked("retired", "block").map(({ keyId }) => keyId)).not.toContain("fresh");
  });

  it("never leave none or two generations active, whatever is asked for", () => {
    const step = fc.record({
      what: fc.constantFrom("add next", "add active", "activate", "destroy", "compromise"),
      which: fc.nat(9),
      stored: fc.constantFrom("allow" as const, "block" as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let generations: readonly Generation[] = [generation("0", "active")];
        for (const { what, which, stored } of steps) {
          const fresh = String(generations.length);
          const keyId = String(which % generations.length);
          const plans: Record<typeof what, () => readonly Generation[]> = {
            "add next": () => planAddition(generations, generation(fresh, "next")),
            "add active": () => planAddition(generations, generation(fresh, "active")),
            activate: () => planActivation(generations, keyId, LATER),
            destroy: () => planDestruction(generations, keyId, LATER),
            compromise: () => planCompromise(generations, keyId, declared(stored), generation(fresh, "active")),
          };
          try {
            generations = withChanges(generations, plans[what]());
          } catch (thrown) {
            expect(thrown).toEqual(STATE);
          }
          const active = generations.filter(({ state }) => state === "active");
          expect(active).toHaveLength(1);
          expect(active[0]?.compromised).toBeUndefined();
          expect(new Set(generations.map((each) => each.keyId)).size).toBe(generations.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("opensFor", () => {
  it.each([
    ["next", true],
    ["active", true],
    ["retired", true],
    ["destroyed", false],
  ] as const)("of a %s generation is %s", (state, opens) => {
    for (const use of ["live", "stored"] as const) expect(opensFor(generation("a", state), use)).toBe(opens);
  });

  it.each([
    ["retired", "allow", "live", false],
    ["retired", "allow", "stored", true],
    ["retired", "block", "live", false],
    ["retired", "block", "stored", false],
    ["next", "allow", "live", false],
    ["destroyed", "allow", "stored", false],
  ] as const)("of a %s one, compromised with stored data: %s, for %s use is %s", (state, stored, use, opens) => {
    expect(opensFor(generation("a", state, { compromised: declared(stored) }), use)).toBe(opens);
  });
});
