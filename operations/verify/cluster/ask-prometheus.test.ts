import { expect, it } from "vitest";
import { healthOf, targetsOf } from "./ask-prometheus.ts";

const patience = { clock: () => new Date(), signal: new AbortController().signal, limitMs: 50 };
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
  expect(await targetsOf(async () => [text], patience)).toHaveProperty("why");
});

it("says why Prometheus could not be asked", async () => {
  const seen = await targetsOf(() => Promise.reject(new Error("prometheus runs elsewhere")), patience);
  expect(seen).toMatchObject({ why: expect.stringContaining("runs elsewhere") });
});

it("waits for a target that was just started, and no longer than it was told", async () => {
  const target = (health: string) => answer({ labels: { job: "broker" }, health });
  const texts = [target("unknown"), target("up")];
  const later = { ...patience, limitMs: 5_000 };
  expect(await targetsOf(async () => [texts.shift() ?? ""], later)).toEqual({ answer: new Map([["broker", ["up"]]]) });
  const never = await targetsOf(async () => [target("unknown")], patience);
  expect(never).toEqual({ answer: new Map([["broker", ["unknown"]]]) });
});
