import { describe, expect, it } from "vitest";
import { checksOf, LAYERS } from "../operations/verify/checks.ts";
import type { CheckResult, Verification } from "../operations/verify/result.ts";
import { verificationText } from "./verification-view.ts";

const plain = (_: string, text: string): string => text;
const finding = (index: number) => ({
  code: "RENDERED_MOUNT",
  path: `box.mounts[${index}]`,
  message: "is foreign",
  fix: "take it out",
});
const proven = checksOf("model").map((id): CheckResult => ({ id, outcome: "proven", seen: `saw ${id}`, findings: [] }));
const text = (results: readonly CheckResult[], columns = 100, layers: Verification["layers"] = ["model"]) =>
  verificationText(
    {
      schema: "trustkern.verify-boundary/1",
      deployment: "demo",
      tenant: "acme",
      profile: "dev",
      engine: "docker",
      startedAt: "2026-01-01T00:00:00.000Z",
      endedAt: "2026-01-01T00:00:01.000Z",
      layers,
      results,
    },
    plain,
    columns,
  );
const not = (outcome: CheckResult["outcome"], over: Partial<CheckResult> = {}): readonly CheckResult[] =>
  proven.map((result, index) => (index === 0 ? { ...result, outcome, ...over } : result));

describe("the table", () => {
  it("has a row for each check, with its outcome, its sentence and what was seen", () => {
    const printed = text(proven);
    for (const { id, seen } of proven) {
      expect(printed).toMatch(new RegExp(`✓ proven +${id.slice("model.".length)} `));
      expect(printed).toContain(seen);
    }
    expect(printed).toContain("no component holds, and no flow carries");
    expect(printed).toMatch(/\nnot proven: 4 of 4 checks are proven; looked at: model alone; /);
  });

  it.each([72, 80, 100, 120])("is no wider than a terminal of %i columns", (columns) => {
    const findings = Array.from({ length: 30 }, (_, index) => finding(index));
    const widths = text(not("broken", { findings }), columns)
      .split("\n")
      .map(({ length }) => length);
    expect(Math.max(...widths)).toBeLessThan(columns);
  });

  it("says of a broken check what is wrong first, and not only what was looked at", () => {
    const findings = [finding(7), finding(8), finding(9)];
    const [row = ""] = text(not("broken", { seen: "14 containers", findings }))
      .split("\n\n")
      .slice(1);
    expect(row).toContain("box.mounts[7]: is foreign, and 2 more; 14 containers");
    expect(text(not("broken", { findings: [finding(7)] }))).toContain("box.mounts[7]: is foreign; saw model.table");
  });

  it("says once what keeps a whole layer from being looked at", () => {
    const why = { code: "NOT_DEPLOYED", path: ".trustkern", message: "nothing runs", fix: "deploy" };
    const results = checksOf("data").map(
      (id): CheckResult => ({ id, outcome: "not-proven", seen: "nothing runs", findings: [why] }),
    );
    const printed = text(results, 100, ["data"]);
    expect(printed.match(/nothing runs/g)).toHaveLength(2);
    expect(printed).toContain("data.stored and 7 more");
  });
});

describe("what is below", () => {
  it("names path, code and fix of each breach", () => {
    const printed = text(not("broken", { findings: [finding(3)] }));
    expect(printed).toMatch(
      /✗ broken +model\.table\n {2}box\.mounts\[3\]\n {4}is foreign \[RENDERED_MOUNT\]\n {4}fix: take it out/,
    );
  });

  it("says a fix once that several in a row have, below the last", () => {
    const other = { ...finding(3), fix: "find out who" };
    const printed = text(not("broken", { findings: [finding(1), finding(2), other] }));
    expect(printed).toMatch(
      /mounts\[1\]\n.*\n {2}box\.mounts\[2\]\n.*\n {4}fix: take it out\n {2}box\.mounts\[3\]\n.*\n {4}fix: find out who\n/,
    );
  });

  it("stops at ten breaches of a check, and says how many there are more", () => {
    const findings = Array.from({ length: 12 }, (_, index) => finding(index));
    expect(text(not("broken", { findings }))).toContain("and 2 more, which --json prints");
  });

  it("tells not proven from broken, and from what a profile lets be reported", () => {
    expect(text(not("broken"))).toMatch(/\nbroken: model\.table; 3 of 4 checks are proven/);
    expect(text(not("not-proven"))).toMatch(/\nnot proven: 3 of 4 checks are proven, 1 could not be looked at/);
    const reported = text(not("not-proven", { reportOnly: true }), 100, LAYERS);
    expect(reported).toMatch(/\nproven: 3 of 4 checks are proven; reported as not proven: model\.table\n$/);
    expect(reported).toContain("the profile lets it be reported");
    expect(text(not("not-required"))).toMatch(/– not needed +table/);
  });
});
