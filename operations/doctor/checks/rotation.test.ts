import { expect, it } from "vitest";
import { fakeMachine } from "../fake-machine.ts";
import { judgeRotation } from "./rotation.ts";

const JOURNAL = {
  schema: "trustkern.rotation/1",
  what: "intermediate:gateways",
  startedAt: "2026-11-01T08:00:00.000Z",
  phase: "prove-use",
  memo: {},
};
const judge = (text?: string) =>
  judgeRotation(
    fakeMachine({ files: { "/s/state.json": "", ...(text !== undefined && { "/s/rotation.json": text }) } }),
    "/s",
  );

it("warns of a rotation that was begun and is not done, and says how to go on", () => {
  const [finding, ...others] = judge(JSON.stringify(JOURNAL));
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ level: "warning", code: "DOCTOR_ROTATION_UNFINISHED" });
  for (const part of ["intermediate:gateways", "2026-11-01", "prove-use"]) expect(finding?.message).toContain(part);
  expect(finding?.fix).toContain("trustkern certs rotate");
});

it("says of one that is given up that it is", () => {
  expect(judge(JSON.stringify({ ...JOURNAL, abandoned: true }))[0]?.message).toContain("given up");
});

it.each(["", "{", "[]", JSON.stringify({ ...JOURNAL, phase: 3 })])("is a problem as %j", (text) => {
  expect(judge(text)).toMatchObject([{ level: "problem", code: "DOCTOR_ROTATION_UNFINISHED" }]);
});

it("says nothing where there is none, or no deployment", () => {
  expect(judge()).toEqual([]);
  expect(judgeRotation(fakeMachine(), "/s")).toEqual([]);
});
