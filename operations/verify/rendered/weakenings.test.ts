import { describe, expect, it } from "vitest";
import { checkRendered } from "../../../stacks/docker/check/index.ts";
import type { RenderedCode } from "../../../stacks/docker/check/subject.ts";
import { BLIND_OPERATORS } from "../../../test/support/weakenings/blind.ts";
import { type Campaign, NAMED_OPERATORS, weaken } from "../../../test/support/weakenings/campaign.ts";
import { CHECK_OF_CODE } from "./check-of-code.ts";

const CAUGHT_MIN = 0.95;
const PATIENCE_MS = 180_000;
// What a changed value may be without granting anything: a container that is stopped sooner or later than another.
const NO_GRANT = /\.(stop_timeout|destroy_grace_seconds)$/;

function report(what: string, { tried, caught, equivalent, missed }: Campaign): void {
  const share = ((100 * caught) / tried).toFixed(1);
  process.stdout.write(`${what}: ${caught} of ${tried} caught (${share} %), ${equivalent} changed nothing\n`);
  for (const miss of missed) process.stdout.write(`  not caught: ${JSON.stringify(miss)}\n`);
}

describe("weakenings of the rendered stack", () => {
  it(
    "of every kind that has a name are caught, each by the check that is for it",
    () => {
      const campaign = weaken({ count: 4 * NAMED_OPERATORS.length });
      report("named weakenings", campaign);
      expect(NAMED_OPERATORS.length).toBeGreaterThanOrEqual(60);
      expect(campaign.tried).toBeGreaterThan(3.8 * NAMED_OPERATORS.length);
      expect(campaign.missed).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    "that nobody thought of are caught, but for values that grant nothing",
    () => {
      const campaign = weaken({ operators: BLIND_OPERATORS, count: 180 });
      report("any value", campaign);
      expect(campaign.caught / campaign.tried).toBeGreaterThanOrEqual(CAUGHT_MIN);
      expect(campaign.missed.filter(({ target }) => !NO_GRANT.test(target))).toEqual([]);
    },
    PATIENCE_MS,
  );

  it.each([...new Set(Object.values(CHECK_OF_CODE))])(
    "are missed by a check that says nothing of %s",
    (silent) => {
      const check: typeof checkRendered = (json, context) =>
        checkRendered(json, context).filter(({ code }) => CHECK_OF_CODE[code as RenderedCode] !== silent);
      const operators = NAMED_OPERATORS.filter(({ breaks }) => breaks === silent);
      const { tried, caught } = weaken({ operators, count: operators.length, check });
      expect(tried).toBeGreaterThan(3);
      expect(caught).toBe(0);
    },
    PATIENCE_MS,
  );
});
