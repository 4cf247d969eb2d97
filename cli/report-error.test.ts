import { describe, expect, it } from "vitest";
import { modelErrors } from "../model/errors.ts";
import type { Io } from "./io.ts";
import { reportError } from "./report-error.ts";

function report(thrown: unknown, json: boolean) {
  const printed = { stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => {
      printed.stdout += text;
    },
    stderr: (text: string) => {
      printed.stderr += text;
    },
  } as Io;
  return { exit: reportError(thrown, io, json, (_, text) => text), ...printed };
}

const finding = { code: "BOUNDARY_ZONE_HOLDS", path: "components.a", message: "wrong", fix: "mend" };
const broken = modelErrors.error("BOUNDARY_BROKEN", "broken\n  twice", { path: "components.a", cause: [finding] });

describe("an error", () => {
  it("has its code, place, words, fix and exit code", () => {
    const { exit, stdout, stderr } = report(broken, false);
    expect(exit).toBe(5);
    expect(stdout).toBe("");
    for (const part of ["BOUNDARY_BROKEN", "(components.a)", "twice", "fix: ", "trustkern explain BOUNDARY_BROKEN"]) {
      expect(stderr).toContain(part);
    }
  });

  it("is one line with --json, its findings included", () => {
    const { exit, stdout, stderr } = report(broken, true);
    expect({ exit, stderr }).toEqual({ exit: 5, stderr: "" });
    expect(stdout.indexOf("\n")).toBe(stdout.length - 1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "BOUNDARY_BROKEN", findings: [finding] });
  });

  it("that nobody foresaw is our bug: 255, with its stack in words alone", () => {
    const thrown = new RangeError("out of luck");
    expect(report(thrown, false)).toMatchObject({ exit: 255, stdout: "" });
    expect(report(thrown, false).stderr).toContain("report-error.test.ts");
    expect(report(thrown, true).stdout).not.toContain("report-error.test.ts");
    expect(JSON.parse(report("no error at all", true).stdout).error).toMatchObject({
      code: "INTERNAL_BUG",
      message: "no error at all",
    });
  });
});
