import { describe, expect, it } from "vitest";
import { modelErrors } from "../model/errors.ts";
import { remoteError } from "../shared/control-client.ts";
import { allErrors } from "./catalogues.ts";
import type { Io } from "./io.ts";
import { reportError } from "./report-error.ts";

async function report(thrown: unknown, json: boolean) {
  const printed = { stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => {
      printed.stdout += text;
    },
    stderr: (text: string) => {
      printed.stderr += text;
    },
  } as Io;
  return { exit: await reportError(thrown, io, json, (_, text) => text), ...printed };
}

const finding = { code: "BOUNDARY_ZONE_HOLDS", path: "components.a", message: "wrong", fix: "mend" };
const broken = modelErrors.error("BOUNDARY_BROKEN", "broken\n  twice", { path: "components.a", cause: [finding] });

describe("an error", () => {
  it("has its code, place, words, fix and exit code", async () => {
    const { exit, stdout, stderr } = await report(broken, false);
    expect(exit).toBe(5);
    expect(stdout).toBe("");
    for (const part of ["BOUNDARY_BROKEN", "(components.a)", "twice", "fix: ", "trustkern explain BOUNDARY_BROKEN"]) {
      expect(stderr).toContain(part);
    }
  });

  it("is one line with --json, its findings included", async () => {
    const { exit, stdout, stderr } = await report(broken, true);
    expect({ exit, stderr }).toEqual({ exit: 5, stderr: "" });
    expect(stdout.indexOf("\n")).toBe(stdout.length - 1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "BOUNDARY_BROKEN", findings: [finding] });
  });

  it("that nobody foresaw is our bug: 255, with its stack in words alone", async () => {
    const thrown = new RangeError("out of luck");
    expect(await report(thrown, false)).toMatchObject({ exit: 255, stdout: "" });
    expect((await report(thrown, false)).stderr).toContain("report-error.test.ts");
    expect((await report(thrown, true)).stdout).not.toContain("report-error.test.ts");
    expect(JSON.parse((await report("no error at all", true)).stdout).error).toMatchObject({
      code: "INTERNAL_BUG",
      message: "no error at all",
    });
  });
});

describe("an error that a service answered with", () => {
  const answered = (code: string) =>
    remoteError(404, { error: { code, message: "none of that name", path: "name", fix: "GET /v1/things" } }, "backend");

  it.each([
    ["GATEWAY_UNKNOWN", 6],
    ["HARDWARE_UNKNOWN", 6],
    ["TOKEN_UNKNOWN", 6],
    ["CERTIFICATE_UNKNOWN", 6],
    ["GATEWAY_REVOKED", 5],
    ["GATEWAY_CONFLICT", 5],
    ["HTTP_BODY_INVALID", 2],
    ["DEVICE_RECORD_INVALID", 2],
    ["CERTIFICATE_REVOKED", 3],
  ])("%s ends with %i, as explain says, and with explain's fix", async (code, exit) => {
    const { fix = "" } = allErrors().get(code) ?? {};
    const reported = await report(answered(code), false);
    expect(reported.exit).toBe(exit);
    for (const part of [code, "none of that name", `fix: ${fix}`]) expect(reported.stderr).toContain(part);
    expect(reported.stderr).not.toContain("/v1/");
    expect(JSON.parse((await report(answered(code), true)).stdout).error).toMatchObject({ code, fix });
  });

  it("stays as the service said it where no catalogue has the code: exit code 1", async () => {
    const reported = await report(answered("OF_A_LATER_VERSION"), false);
    expect(reported).toMatchObject({ exit: 1, stderr: expect.stringContaining("fix: GET /v1/things") });
  });
});
