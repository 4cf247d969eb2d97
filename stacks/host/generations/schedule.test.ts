import { describe, expect, it } from "vitest";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import type { ListedGeneration } from "../custody-management.ts";
import { destroyableAt, overlapOf, planSchedule } from "./schedule.ts";

const schedule = { rotateEverySeconds: 864_000, overlapSeconds: 86_400, destroyAfterSeconds: 1_728_000 };
const generation: ListedGeneration = {
  keyId: "11".repeat(8),
  publicKey: new Uint8Array(32),
  state: "retired",
  suite: "X25519-HKDF-SHA256/AES-128-GCM",
  origin: "generated",
  createdAt: "2026-01-01T00:00:00.000Z",
  notBefore: "2026-01-01T00:00:00.000Z",
  retiredAt: "2026-02-01T00:00:00.000Z",
};
const compromised = { at: "2026-02-02T00:00:00.000Z", reason: "lost", stored: "allow" };

describe("the day from which a generation may be destroyed", () => {
  it.each<[string, Partial<ListedGeneration>, string | null]>([
    ["counts from when it was retired", {}, "2026-02-21T00:00:00.000Z"],
    ["counts from when it was made, where nothing else is known", { retiredAt: undefined }, "2026-01-21T00:00:00.000Z"],
    ["is not changed by a compromise that leaves what is stored", { compromised }, "2026-02-21T00:00:00.000Z"],
    ["comes at once for what opens nothing", { compromised: { ...compromised, stored: "block" } }, compromised.at],
    ["is not set for one that is active", { state: "active" }, null],
    ["is not set for one that is next", { state: "next" }, null],
    ["is not set for one that is gone", { state: "destroyed" }, null],
    ["is not set for a fixture's", { origin: "fixture" }, null],
  ])("%s", (_, changes, expected) => {
    expect(destroyableAt({ ...generation, ...changes }, schedule)).toBe(expected);
  });
});

it("the next rotation begins one overlap before the active generation's time is over", () => {
  const active = { ...generation, state: "active", activatedAt: "2026-03-01T00:00:00.000Z", retiredAt: undefined };
  const at = "2026-03-10T00:00:00.000Z";
  const due = (now: string) => planSchedule([active], schedule, new Date(now));
  expect(due("2026-03-09T23:59:59.999Z")).toEqual([{ what: "rotate", keyId: active.keyId, at, due: false }]);
  expect(due(at)).toEqual([{ what: "rotate", keyId: active.keyId, at, due: true }]);
});

describe("the overlap of a rotation", () => {
  const { custody } = defaultDeployment();
  const { overlapSeconds } = custody.schedule;

  it("is the schedule's, in every profile, and nobody's where nobody asks", () => {
    expect(overlapOf({ profile: "eu-hosted", custody }, undefined)).toBeUndefined();
    expect(overlapOf({ profile: "eu-hosted", custody }, overlapSeconds)).toBe(overlapSeconds);
  });

  it("is longer in no profile", () => {
    for (const profile of ["dev", "eu-hosted", "customer-tenant", "air-gapped"] as const)
      expect(() => overlapOf({ profile, custody }, overlapSeconds + 1)).toThrow(
        expect.objectContaining({ code: "KEYS_OVERLAP_LONG", exit: 2 }),
      );
  });

  it("is shorter in profile dev alone", () => {
    expect(overlapOf({ profile: "dev", custody }, 1)).toBe(1);
    for (const profile of ["eu-hosted", "customer-tenant", "air-gapped"] as const)
      expect(() => overlapOf({ profile, custody }, overlapSeconds - 1)).toThrow(
        expect.objectContaining({ code: "KEYS_OVERLAP_SHORT", exit: 5 }),
      );
  });
});
