import { afterEach, beforeEach, expect, it } from "vitest";
import { ModelPlace } from "./model-place.ts";
import { outlineRotation } from "./outline.ts";
import { rotateGenerations } from "./rotate.ts";

let model: ModelPlace;
beforeEach(() => {
  model = new ModelPlace();
});
afterEach(() => model.remove());

const outline = (due: boolean, overlapSeconds?: number) => outlineRotation(model.place, { due, overlapSeconds });
const rotate = (overlapSeconds?: number) =>
  rotateGenerations(model.place, {
    overlapSeconds,
    waitSeconds: 0,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onWaiting: () => undefined,
  });

it("an outline of what is due has no step while nothing is", async () => {
  expect(await outline(true)).toMatchObject({ keyId: null, phases: [], overlapEndsAt: null, sensors: null });
  model.pass(83);
  expect((await outline(true)).phases).toHaveLength(4);
});

it("an outline names the generation of a ceremony that waits, the sensors, and when the overlap would end", async () => {
  model.hear("s1");
  model.hear("s2");
  expect(await outline(false)).toMatchObject({ keyId: null, origin: null, sensors: { all: 2, following: 0 } });
  const keyId = model.import("ceremony", "next");
  expect(await outline(false)).toMatchObject({ keyId, origin: "ceremony", overlapEndsAt: "2026-01-08T00:00:00.000Z" });
  expect(await outline(false, 86_400)).toMatchObject({ overlapEndsAt: "2026-01-02T00:00:00.000Z" });
});

it("an outline of a rotation that has begun goes by its journal, is due, and changes nothing", async () => {
  model.hear("s1");
  const { keyId } = await rotate(86_400);
  model.hear("s1");
  model.import("ceremony", "next");
  const { steps } = model;
  const outlined = await outline(true);
  expect(outlined).toMatchObject({
    keyId,
    overlapEndsAt: "2026-01-02T00:00:00.000Z",
    sensors: { all: 1, following: 1 },
  });
  expect(outlined.phases.map(({ done }) => done)).toEqual([true, true, false, false]);
  expect(model.steps).toBe(steps);
});
