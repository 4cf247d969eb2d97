import { describe, expect, it } from "vitest";
import { DATA_WEAKENINGS } from "../../../test/support/weakenings/data.ts";
import { MODEL_WEAKENINGS } from "../../../test/support/weakenings/model.ts";
import { RENDERED_WEAKENINGS } from "../../../test/support/weakenings/rendered.ts";
import { RUNNING_WEAKENINGS } from "../../../test/support/weakenings/running.ts";
import type { Weakenings } from "../../../test/support/weakenings/weakening.ts";
import { CHECKS } from "../../verify/checks.ts";
import type { CheckResult } from "../../verify/result.ts";
import { FRAMEWORKS, INDICATIVE, stateOf } from "./index.ts";
import { OUTSIDE } from "./outside.ts";

const WEAKENINGS: Weakenings = {
  ...MODEL_WEAKENINGS,
  ...RENDERED_WEAKENINGS,
  ...RUNNING_WEAKENINGS,
  ...DATA_WEAKENINGS,
};
const CONTROLS = FRAMEWORKS.flatMap(({ name, controls }) => controls.map((control) => ({ name, control })));
const outcomeOf = (results: readonly CheckResult[], id: string) => results.find((result) => result.id === id)?.outcome;

describe.each(CONTROLS)("$name, $control.id", ({ control }) => {
  it.each(control.checks)("rests on %s, which fails without the mitigation, and holds with it", (check) => {
    const weakening = WEAKENINGS[check];
    expect(weakening, `no weakening takes away what ${check} looks at`).toBeDefined();
    const sound = weakening?.sound() ?? [];
    expect(outcomeOf(sound, check)).toBe("proven");
    const others = control.checks.filter((id) => id !== check).map((id) => ({ id, outcome: "proven" as const }));
    expect(stateOf(control, [...others, ...sound])).toBe("held");
    for (const weaken of weakening === undefined ? [] : [weakening.weakened, ...(weakening.also ?? [])]) {
      const outcome = outcomeOf(weaken(), check) ?? "proven";
      // Encryption at rest may be reported: without it the check says that it is not proven, and never that it is.
      expect(outcome).toBe(check === "running.encryption" ? "not-proven" : "broken");
      expect(stateOf(control, [...others, { id: check, outcome }])).not.toBe("held");
    }
    expect(stateOf(control, [...others, { id: check, outcome: "not-required" }])).toBe("not-shown");
  });
});

describe("the mapping", () => {
  it("names checks that there are, each once for a control, and controls once for a framework", () => {
    for (const { controls } of FRAMEWORKS) {
      const ids = controls.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { checks } of controls) {
        expect(new Set(checks).size).toBe(checks.length);
        for (const check of checks) expect(Object.keys(CHECKS)).toContain(check);
      }
    }
  });

  it("has the ids that each framework gives its controls", () => {
    const forms = [
      /^SR [1-7]\.\d{1,2}$/,
      /^CR [1-7]\.\d{1,2}$/,
      /^(GV|ID|PR|DE|RS|RC)\.[A-Z]{2}-\d\d$/,
      /^(CC\d|C1|A1)\.\d$/,
      /^\([a-m]\)$/,
      /^SOV-[1-8]$/,
    ];
    FRAMEWORKS.forEach(({ controls }, index) => {
      for (const { id } of controls) expect(id).toMatch(forms[index] ?? /never/);
    });
  });

  it("claims nothing that nobody certified", () => {
    expect(INDICATIVE).toContain("no level, no conformity and no certification");
    expect(JSON.stringify([FRAMEWORKS, OUTSIDE])).not.toMatch(/\bcompl(y|iant|ies)|certified|SL[- ]?[1-4]\b|SEAL/i);
  });

  it("says what lies outside, the tamper switches and the gateway's hardware among it", () => {
    const text = OUTSIDE.map(({ what, why }) => `${what}: ${why}`).join("\n");
    for (const word of ["tamper switches", "the gateway's own hardware", "secure element", "people", "Docker itself"]) {
      expect(text).toContain(word);
    }
  });
});

describe("a control is held", () => {
  const state = (...outcomes: CheckResult["outcome"][]) =>
    stateOf(
      { checks: ["model.table", "model.profile"] },
      outcomes.map((outcome, index) => ({ id: index === 0 ? "model.table" : "model.profile", outcome })),
    );

  it("only where each of its checks is proven, and never by one that was not asked for", () => {
    expect(state("proven", "proven")).toBe("held");
    expect(state("proven", "not-required")).toBe("not-shown");
    expect(state("not-required", "not-required")).toBe("not-shown");
    expect(state("not-required", "not-proven")).toBe("not-proven");
    expect(state("proven", "not-proven")).toBe("not-proven");
    expect(state("proven")).toBe("not-proven");
    expect(state("not-proven", "broken")).toBe("broken");
  });
});
