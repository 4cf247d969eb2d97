import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelFleet } from "../../stacks/host/rotation/model-fleet.ts";
import { rotationOf } from "../../stacks/host/rotation/rotations.ts";
import type { RotationTarget } from "../../stacks/host/rotation/target.ts";

const TARGETS: readonly RotationTarget[] = [
  { kind: "root" },
  { kind: "intermediate", leafClass: "services" },
  { kind: "intermediate", leafClass: "gateways" },
  { kind: "leaf", component: "backend" },
  { kind: "pin" },
  { kind: "token", gateway: "gw-01" },
];
const EVERYBODY = ["broker", "backend", "collector", "gw-01"];

/** More than any rotation of the model fleet changes. */
const MOST_STEPS = 200;

let first: ModelFleet;
beforeAll(async () => {
  first = await ModelFleet.make();
});
afterAll(() => first.remove());

/** Rotates one fleet after the other, each dying once at another step, and gives how many died. */
async function campaign(target: RotationTarget): Promise<number> {
  for (let killAt = 1; killAt < MOST_STEPS; killAt += 1) {
    const fleet = ModelFleet.copyOf(first);
    fleet.readers = (step) => (step % 2 === killAt % 2 ? [EVERYBODY[(step + killAt) % 4] ?? ""] : []);
    const died = await fleet.rotateDespite((context) => rotationOf(target, context), killAt);
    expect([killAt, ...fleet.violations, ...(await fleet.loose())]).toEqual([killAt]);
    fleet.remove();
    if (!died) return killAt - 1;
  }
  throw new RangeError(`a rotation has more than ${MOST_STEPS} steps`);
}

describe("a rotation that dies", () => {
  it.each(TARGETS)("at every single step is finished by the next run: %o", { timeout: 900_000 }, async (target) => {
    expect(await campaign(target)).toBeGreaterThan(4);
  });

  it("twice, whoever reads early or late, never lets two components refuse each other", {
    timeout: 900_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TARGETS),
        fc.array(fc.subarray(EVERYBODY), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 60 }),
        async (target, readings, killAt) => {
          const fleet = ModelFleet.copyOf(first);
          fleet.readers = (step) => readings[step % readings.length] ?? [];
          await fleet.rotateDespite((context) => rotationOf(target, context), killAt);
          await fleet.rotateDespite((context) => rotationOf(target, context), Math.ceil(killAt / 2));
          expect([...fleet.violations, ...(await fleet.loose())]).toEqual([]);
          fleet.remove();
        },
      ),
      { numRuns: 60 },
    );
  });
});
