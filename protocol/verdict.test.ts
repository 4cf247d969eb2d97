import { expect, it } from "vitest";
import { isVerdict, VERDICTS, verdictCode, verdictOfCode } from "./verdict.ts";

it("each verdict has the code of the specification", () => {
  const codes = {
    accepted: 0,
    malformed: 1,
    "unsupported-version": 2,
    "unknown-sensor": 3,
    "revoked-sensor": 4,
    "bad-signature": 5,
    replay: 6,
    duplicate: 7,
    "unknown-key": 8,
    "decrypt-failed": 9,
    "bad-payload": 10,
  };
  expect(Object.fromEntries(VERDICTS.map((verdict) => [verdict, verdictCode(verdict)]))).toEqual(codes);
  for (const verdict of VERDICTS) expect(verdictOfCode(verdictCode(verdict))).toBe(verdict);
});

it.each([-1, 11, 0.5, Number.NaN, 2 ** 32])("%d is no verdict's code", (code) =>
  expect(verdictOfCode(code)).toBeUndefined(),
);

it.each(["", "Accepted", "ok", 0, null, undefined])("%j is no verdict", (value) =>
  expect(isVerdict(value)).toBe(false),
);
