import { expect, it } from "vitest";
import { healthOf, targetsOf } from "./ask-prometheus.ts";

const answer = (...activeTargets: readonly object[]) => JSON.stringify({ data: { activeTargets } });

it("tells the health of every target of a job", () => {
  const target = (job: string, health: string) => ({ labels: { job }, health });
  const text = answer(target("collector", "up"), target("collector", "down"), target("broker", "up"));
  expect([...healthOf(text)]).toEqual([
    ["collector", ["up", "down"]],
    ["broker", ["up"]],
  ]);
});

it.each([
  ["no JSON", "{"],
  ["another answer", "{}"],
  ["a target without health", answer({ labels: {} })],
])("takes %s for no answer", async (_, text) => {
  expect(await targetsOf(async () => [text])).toHaveProperty("why");
});

it("says why Prometheus could not be asked", async () => {
  const seen = await targetsOf(() => Promise.reject(new Error("prometheus runs elsewhere")));
  expect(seen).toMatchObject({ why: expect.stringContaining("runs elsewhere") });
});
