import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { destroyGeneration, leftByDestruction, renderSensors } from "./destroy.ts";
import { doWhatIsDue } from "./due.ts";
import { ModelPlace } from "./model-place.ts";
import { type KeyRotationOutcome, rotateGenerations } from "./rotate.ts";
import { planSchedule } from "./schedule.ts";

const OVERLAP_DAYS = 7;
let model: ModelPlace;
beforeEach(() => {
  model = new ModelPlace();
});
afterEach(() => model.remove());

const run = {
  overlapSeconds: OVERLAP_DAYS * 86_400,
  waitSeconds: 0,
  signal: new AbortController().signal,
  onPhase: () => undefined,
  onWaiting: () => undefined,
};
async function rotateWhole(): Promise<KeyRotationOutcome> {
  await rotateGenerations(model.place, run);
  // Whoever was heard before it began is silent by then.
  model.pass(OVERLAP_DAYS + 1);
  return rotateGenerations(model.place, run);
}
const states = (): readonly string[] => model.generations.map(({ state }) => state);
const destroy = (keyId: string): Promise<readonly string[]> => destroyGeneration(model.place, keyId);
const due = () => doWhatIsDue(model.place, run);

describe("a generation", () => {
  it("is destroyed once retention is over and nobody uses it, and a second time without effect", async () => {
    const old = model.active().keyId;
    await rotateWhole();
    model.hear("s1");
    model.pass(365);
    await destroy(old);
    expect(states()).toEqual(["destroyed", "active"]);
    await destroy(old);
  });

  it("goes from cold copies as well, also where the first try died before that", async () => {
    const old = model.active().keyId;
    await rotateWhole();
    model.pass(365);
    model.copies = [old, model.active().keyId];
    await expect(destroy(model.active().keyId)).rejects.toMatchObject({ code: "KEYS_IN_USE" });
    expect([await destroy(old), model.copies]).toEqual([[old], [model.active().keyId]]);
    model.copies = [old];
    expect([await destroy(old), model.copies]).toEqual([[old], []]);
  });

  it("is kept until that day, which the refusal names", async () => {
    const old = model.active().keyId;
    await rotateWhole();
    model.pass(364.9);
    await expect(destroy(old)).rejects.toMatchObject({
      code: "KEYS_DESTROY_EARLY",
      exit: 5,
      message: expect.stringContaining("2027-01-09T00:00:00.000Z"),
    });
    expect(states()).toEqual(["retired", "active"]);
  });

  it("is kept as long as a sensor uses it, which the refusal names with its gateway", async () => {
    model.hear("s2", "gw-evil");
    const old = model.active().keyId;
    await rotateWhole();
    model.pass(366);
    await expect(destroy(old)).rejects.toMatchObject({
      code: "KEYS_IN_USE",
      message: expect.stringMatching(/s2.*gw-evil/),
    });
    expect(states()).toEqual(["retired", "active"]);
  });

  it("is not destroyed while it is active, being rotated to, or a fixture's", async () => {
    const { keyId: next } = await rotateGenerations(model.place, run);
    const fixture = model.import("fixture", "retired");
    for (const keyId of [model.active().keyId, next, fixture])
      await expect(destroy(keyId)).rejects.toMatchObject({ code: "KEYS_IN_USE" });
    expect(states()).toEqual(["active", "next", "retired"]);
  });

  it("that was to come is given up when nobody uses it, and is told to nobody any more", async () => {
    const imported = model.import("ceremony", "next");
    await model.place.publish();
    await destroy(imported);
    expect(model.recipients).toEqual([model.active().keyId]);
    const again = model.import("ceremony", "next");
    await model.place.publish();
    model.hear("s1");
    await expect(destroy(again)).rejects.toMatchObject({ code: "KEYS_IN_USE" });
  });

  it("that is closed to everything is destroyed at once; one that opens what is stored is not", async () => {
    const [first] = model.generations;
    await model.place.custody.compromise(first?.keyId ?? "", "allow", "lost");
    await expect(destroy(first?.keyId ?? "")).rejects.toMatchObject({ code: "KEYS_DESTROY_EARLY" });
    await model.place.custody.compromise(first?.keyId ?? "", "block", "lost");
    await destroy(first?.keyId ?? "");
    expect(states()).toEqual(["destroyed", "active"]);
  });

  it("that custody does not know is refused before anything is changed", async () => {
    await expect(destroy("ff".repeat(8))).rejects.toMatchObject({ code: "CUSTODY_GENERATION_UNKNOWN" });
    expect(model.steps).toBe(0);
  });

  it("that is being rotated to is mended by the rotation's end, not by another one", async () => {
    const { keyId } = await rotateGenerations(model.place, run);
    await expect(destroy(keyId)).rejects.toMatchObject({ fix: expect.stringContaining("finish") });
  });

  it("of a ceremony is said to outlive its destruction in shares and files; no other one is", () => {
    expect(leftByDestruction({ origin: "ceremony" })).toMatch(/shares.*escrow file/);
    for (const origin of ["generated", "fixture"]) expect(leftByDestruction({ origin })).toBeNull();
  });
});

describe("what the schedule says", () => {
  it("is nothing between two dates, and nothing is done", async () => {
    expect(planSchedule(await model.place.custody.list(), model.place.schedule, new Date(model.now))).toEqual([
      { what: "rotate", keyId: model.active().keyId, at: "2026-03-25T00:00:00.000Z", due: false },
    ]);
    model.import("ceremony", "next");
    model.pass(82);
    expect(await due()).toEqual({ rotation: null, destroyed: [], kept: [] });
    expect([states(), model.steps]).toEqual([["active", "next"], 0]);
  });

  it("is done over four years by a timer: a rotation each 90 days, and each key destroyed after retention", async () => {
    for (let day = 0; day < 4 * 365; day += 1) {
      await due();
      model.pass(1);
      model.hear("s1");
    }
    const made = Date.parse("2026-01-01T00:00:00Z");
    for (const [index, { activatedAt = "", retiredAt, destroyedAt }] of model.generations.entries()) {
      const days = (at: string): number => Math.round((Date.parse(at) - made) / 86_400_000);
      expect(days(activatedAt)).toBe(index * 90);
      if (destroyedAt) expect(days(destroyedAt) - days(retiredAt ?? "")).toBe(365);
    }
    expect(states().filter((state) => state === "destroyed")).toHaveLength(12);
    expect(states().at(-1)).toBe("active");
  });

  it("keeps what is due and in use, says why, and does the rest", async () => {
    model.hear("stuck");
    await rotateWhole();
    model.pass(60);
    const second = (await rotateWhole()).keyId;
    expect(second).not.toBe("");
    model.pass(366);
    const { kept, destroyed } = await due();
    expect(kept).toMatchObject([{ keyId: model.generations[0]?.keyId, why: expect.stringContaining("stuck") }]);
    expect(destroyed).toEqual([model.generations[1]?.keyId]);
  });
});

it("names ten sensors of a fleet, and counts the rest", () => {
  const sensors = Array.from({ length: 12 }, (_, i) => ({
    sensor_id: `s${i}`,
    key_id: null,
    gateway: null,
    last_seen: null,
  }));
  expect(renderSensors(sensors)).toMatch(/^s0 \(last seen never\), .*s9 \(last seen never\), and 2 more$/);
});
