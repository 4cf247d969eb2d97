import { expect, it } from "vitest";
import type { Observed } from "../../../stacks/docker/life/health.ts";
import { unwellIn } from "./unwell.ts";

const SOUND = { Id: "a".repeat(64), State: { StartedAt: "2026-11-22T08:00:00Z", Pid: 4711 } };
const seen = (condition: Observed["condition"], container: object | undefined = SOUND) =>
  new Map([["loki", { condition, container } as Observed]]);
const why = (before: ReadonlyMap<string, Observed>, after: ReadonlyMap<string, Observed>) =>
  unwellIn([{ name: "loki", zone: "operations" }], before, after).map((each) => each.why);
const changed = (state: object) => seen("healthy", { ...SOUND, State: { ...SOUND.State, ...state } });
const healthy = seen("healthy");

it("has nothing against a component that is well and the same", () => {
  expect(why(healthy, seen("healthy"))).toEqual([]);
  expect(why(seen("done"), seen("done"))).toEqual([]);
});

it.each([
  ["was not well before", seen("unhealthy"), healthy, "is unhealthy"],
  ["was still starting", seen("starting"), healthy, "is starting"],
  ["was not there", new Map(), healthy, "is missing"],
  ["was paused or stopped meanwhile", healthy, seen("stopped"), "is stopped since the search"],
  ["is gone", healthy, new Map(), "is missing since the search"],
  [
    "is another container",
    healthy,
    seen("healthy", { ...SOUND, Id: "b".repeat(64) }),
    "is another container since the search",
  ],
  ["was started anew", healthy, changed({ StartedAt: "2026-11-22T08:00:30Z" }), "was started anew during the search"],
  ["has another process", healthy, changed({ Pid: 4712 }), "was started anew during the search"],
])("names a component that %s", (_, before, after, said) => {
  expect(why(before, after)).toEqual([said]);
});
