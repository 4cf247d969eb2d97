import { expect, test } from "vitest";
import { judge } from "./probes.ts";

test.each([
  ["revoked", "accepted", "good"],
  ["accepted", "accepted", "open"],
  ["accepted", "refused", "open"],
  ["accepted", "away", "open"],
  ["revoked", "revoked", "closed"],
  ["revoked", "refused", "closed"],
  ["revoked", "away", "silent"],
  ["refused", "accepted", "unclear"],
  ["away", "accepted", "unclear"],
  ["refused", "refused", "closed"],
  ["away", "away", "silent"],
] as const)("the revoked one %s and the good one %s is %s", (revoked, good, result) => {
  expect(judge(revoked, good)).toBe(result);
});
