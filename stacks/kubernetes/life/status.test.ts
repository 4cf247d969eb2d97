import { describe, expect, it } from "vitest";
import type { Pod } from "../pods.ts";
import { conditionOf } from "./status.ts";

const pod = (kind: string, replicas = 1) => ({ kind, replicas, name: "x" }) as Pod;
const one = (ready: boolean, restartCount = 0, name = "x") => ({
  status: { phase: "Running", containerStatuses: [{ name, ready, restartCount }] },
});
const waiting = { status: { phase: "Pending" } };

describe("a component", () => {
  it.each<readonly [string, number, readonly object[], string]>([
    ["that is ready", 1, [one(true)], "healthy"],
    ["of which more are ready than there have to be", 2, [one(true), one(true), one(true)], "healthy"],
    ["that was started often, and is ready", 1, [one(true, 9)], "healthy"],
    ["of which one is missing", 2, [one(true)], "starting"],
    ["that is not ready yet", 1, [one(false)], "starting"],
    ["that waits for a node", 1, [waiting], "starting"],
    ["that fell over", 1, [one(false, 1)], "unhealthy"],
    ["of which one fell over", 2, [one(true), one(false, 3)], "unhealthy"],
    ["without a pod", 1, [], "missing"],
    ["whose pod runs another container alone", 1, [one(true, 0, "other")], "starting"],
  ])("%s is as its pods are", (_, replicas, live, condition) => {
    expect(conditionOf(pod("StatefulSet", replicas), "x", live as never)).toBe(condition);
  });

  it.each<readonly [string, readonly object[], string]>([
    ["has done it", [{ status: { phase: "Succeeded" } }], "done"],
    ["has done it after a failure", [{ status: { phase: "Failed" } }, { status: { phase: "Succeeded" } }], "done"],
    ["has failed", [{ status: { phase: "Failed" } }], "unhealthy"],
    ["is at it", [{ status: { phase: "Running" } }], "starting"],
    ["was never begun", [], "missing"],
  ])("that works once and %s is told so", (_, live, condition) => {
    expect(conditionOf(pod("Job"), "x", live as never)).toBe(condition);
  });
});
