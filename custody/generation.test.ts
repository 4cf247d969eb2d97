import { describe, expect, it } from "vitest";
import { GENERATION_STATES, type Generation, type GenerationState, planTransition } from "./generation.ts";

const TIME = "2026-01-01T00:00:00.000Z";
const generation = (keyId: string, state: GenerationState): Generation => ({
  keyId,
  publicKey: keyId.repeat(4),
  state,
  createdAt: TIME,
  notBefore: TIME,
});
const ALL = GENERATION_STATES.map((state) => generation(state, state));

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
    expect(() => planTransition(ALL, keyId, to)).toThrow(expect.objectContaining({ code: "CUSTODY_GENERATION_STATE" }));
  });

  it("names the known generations when the key id is unknown", () => {
    expect(() => planTransition(ALL, "absent", "active")).toThrow(
      expect.objectContaining({ code: "CUSTODY_GENERATION_UNKNOWN", message: expect.stringContaining("retired") }),
    );
    expect(() => planTransition([], "absent", "active")).toThrow(
      expect.objectContaining({ code: "CUSTODY_GENERATION_UNKNOWN" }),
    );
  });
});
