import { beforeEach, describe, expect, it } from "vitest";
import { createRenewals, MAX_PER_HOUR, type Renewals, type Renewing } from "./renewals.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const [OURS, OTHER] = ["ab".repeat(32), "cd".repeat(32)];
const shown: Renewing = { gateway: "gw-01", notBeforeMs: 0, notAfterMs: 90 * DAY_MS, authoritySha256: OURS };
let nowMs: number;
let authorities: readonly string[];
let renewals: Renewals;

beforeEach(() => {
  [nowMs, authorities] = [60 * DAY_MS, [OURS]];
  renewals = createRenewals({ authorities: () => authorities, now: () => nowMs });
});

const refusal = (code: string) => expect.objectContaining({ code });
const spend = (): void => {
  for (let i = 0; i < MAX_PER_HOUR; i += 1) renewals.admit(shown);
};

describe("half of a certificate's life", () => {
  it.each([0, 1, 44.999])("is not over after %d of 90 days", (days) => {
    nowMs = days * DAY_MS;
    expect(() => renewals.admit(shown)).toThrow(refusal("RENEWAL_EARLY"));
  });

  it.each([45, 60, 89.9])("is over after %d of 90 days", (days) => {
    nowMs = days * DAY_MS;
    expect(() => renewals.admit(shown)).not.toThrow();
  });

  it("is not waited for where the authority is replaced", () => {
    nowMs = DAY_MS;
    expect(() => renewals.admit({ ...shown, authoritySha256: OTHER })).not.toThrow();
  });

  it.each<[string, readonly string[], string | null]>([
    ["nothing is said of authorities", [], OTHER],
    ["no authority was sent", [OURS], null],
    ["the authority is the second of those that may stay", [OTHER, OURS], OURS],
  ])("is waited for where %s", (_, said, authoritySha256) => {
    [nowMs, authorities] = [DAY_MS, said];
    expect(() => renewals.admit({ ...shown, authoritySha256 })).toThrow(refusal("RENEWAL_EARLY"));
  });
});

describe("an hour", () => {
  it("has its share of renewals for each gateway, and another one its own", () => {
    spend();
    expect(() => renewals.admit(shown)).toThrow(refusal("RENEWAL_LIMIT"));
    expect(() => renewals.admit({ ...shown, gateway: "gw-02" })).not.toThrow();
  });

  it.each([1, -1])("has it also for who was told to renew, whatever it shows, %d min later", (minutes) => {
    spend();
    nowMs += minutes * 60_000;
    expect(() => renewals.admit({ ...shown, authoritySha256: OTHER })).toThrow(refusal("RENEWAL_LIMIT"));
  });

  it.each([1, -1])("later (%d) there is another share, also by a clock that went back", (direction) => {
    spend();
    nowMs += direction * HOUR_MS;
    expect(() => renewals.admit(shown)).not.toThrow();
  });

  it("is not used up by what was refused", () => {
    nowMs = DAY_MS;
    for (let i = 0; i <= MAX_PER_HOUR; i += 1) expect(() => renewals.admit(shown)).toThrow(refusal("RENEWAL_EARLY"));
    nowMs += HOUR_MS / 2;
    expect(() => renewals.admit({ ...shown, authoritySha256: OTHER })).not.toThrow();
  });
});
