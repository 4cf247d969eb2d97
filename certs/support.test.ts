import { describe, expect, it } from "vitest";
import { assertSupport, isSupport, supportSeconds } from "./support.ts";

const granted = { access: "granted", from: "2027-03-01T08:00:00Z", until: "2027-03-02T08:00:00Z" } as const;
const at = (time: string) => new Date(time);
const DURING = at("2027-03-01T12:00:00Z");
const refused = expect.objectContaining({ code: "DENIED_SUPPORT_OFF", path: "support-off", exit: 5 });

describe("the vendor's staff", () => {
  it("have no access where it is off, and that of operators where they are operators", () => {
    expect(() => assertSupport({ access: "off" }, "op-support-ada", DURING)).toThrow(refused);
    expect(() => assertSupport({ access: "operators" }, "op-support-ada", DURING)).not.toThrow();
  });

  it.each([
    ["the second before it begins", "2027-03-01T07:59:59.999Z", false],
    ["the second it begins", "2027-03-01T08:00:00Z", true],
    ["the second before it ends", "2027-03-02T07:59:59.999Z", true],
    ["the second it ends", "2027-03-02T08:00:00Z", false],
    ["a year later", "2028-03-01T12:00:00Z", false],
  ])("are let in for the time that is granted alone: %s", (_, time, letIn) => {
    const entering = () => assertSupport(granted, "op-support-ada", at(time));
    if (letIn) expect(entering).not.toThrow();
    else expect(entering).toThrow(refused);
  });

  it("are told by their names, and nobody else is", () => {
    expect(isSupport("op-support-ada")).toBe(true);
    for (const other of ["op-admin", "op-support", "op-supporter", "gw-support-1", "svc-op-support-", ""]) {
      expect(isSupport(other), other).toBe(false);
      expect(() => assertSupport({ access: "off" }, other, DURING)).not.toThrow();
    }
  });

  it("have access for the seconds that are left", () => {
    expect(supportSeconds(granted, "op-support-ada", at("2027-03-02T07:00:00.500Z"))).toBe(3599);
    expect(supportSeconds(granted, "op-admin", DURING)).toBeUndefined();
    expect(supportSeconds({ access: "operators" }, "op-support-ada", DURING)).toBeUndefined();
  });

  it("have none at times that nobody can read", () => {
    expect(() => assertSupport({ ...granted, until: "soon" }, "op-support-ada", DURING)).toThrow(refused);
    expect(() => assertSupport({ ...granted, from: "" }, "op-support-ada", DURING)).toThrow(refused);
  });
});
