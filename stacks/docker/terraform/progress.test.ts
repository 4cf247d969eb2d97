import { describe, expect, it } from "vitest";
import { parseEvent } from "./events.ts";
import { liveState, liveView, type ProgressEvent, progressOf, renderProgressLine, withProgress } from "./progress.ts";

const names = { "docker_container.broker": { kind: "component", name: "broker" } };
const EXTRA = `"module":"","resource":"docker_container.broker","implied_provider":"docker","resource_type":"docker_container","resource_name":"broker","resource_key":null`;

function recorded(type: string, action: string, elapsed?: number): ProgressEvent | undefined {
  const seconds = elapsed === undefined ? "" : `,"elapsed_seconds":${elapsed}`;
  const line = `{"@level":"info","@message":"m","@module":"tofu.ui","@timestamp":"2026-11-21T13:43:10Z","hook":{"resource":{"addr":"docker_container.broker",${EXTRA}},"action":"${action}"${seconds}},"type":"${type}"}`;
  const event = parseEvent(line);
  return event && progressOf(event, names);
}

const step = (n: number, state: ProgressEvent["state"]): ProgressEvent => ({
  address: `docker_container.c${n}`,
  words: `component c${n}`,
  action: "create",
  state,
  elapsedSeconds: 0,
});

describe("progress", () => {
  it.each([
    ["apply_start", "create", undefined, undefined],
    ["apply_progress", "create", 10, "component broker: still creating (10 s)"],
    ["apply_complete", "create", 12, "component broker: created (12 s)"],
    ["apply_complete", "delete", 1, "component broker: removed (1 s)"],
    ["apply_complete", "update", 0, "component broker: changed (0 s)"],
    ["apply_errored", "create", 3, "component broker: creating failed (3 s)"],
  ])("%s of %s is one line in the words of the model", (type, action, elapsed, line) => {
    const event = recorded(type, action, elapsed);
    expect(event && renderProgressLine(event)).toBe(line);
  });

  it.each([
    ["apply_start", "read"],
    ["refresh_start", "create"],
    ["provision_start", "create"],
    ["planned_change", "create"],
  ])("%s of %s is no step", (type, action) => {
    expect(recorded(type, action)).toBeUndefined();
  });
});

describe("the live view", () => {
  it("counts, and shows what failed before what runs, the longest first", () => {
    let state = liveState(4);
    state = withProgress(state, step(1, "started"), 1000);
    state = withProgress(state, step(2, "started"), 2000);
    state = withProgress(state, step(3, "started"), 2000);
    state = withProgress(state, step(1, "running"), 11_000);
    state = withProgress(state, step(2, "done"), 12_000);
    state = withProgress(state, step(3, "failed"), 12_000);
    expect(liveView(state, 13_500, 10)).toEqual([
      "1 of 4 done, 1 running, 1 failed",
      "✗ component c3: creating failed",
      "… component c1: creating (12 s)",
    ]);
  });

  it("never takes more lines than the terminal gives", () => {
    let state = liveState(0);
    for (let n = 0; n < 20; n += 1) state = withProgress(state, step(n, "started"), n);
    const lines = liveView(state, 1000, 5);
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe("0 done, 20 running, 0 failed");
    expect(lines.at(-1)).toContain("17 more");
  });

  it("counts a replacement as two steps", () => {
    let state = withProgress(liveState(2), { ...step(1, "done"), action: "delete" }, 0);
    state = withProgress(state, step(1, "started"), 0);
    expect(liveView(state, 0, 5)[0]).toBe("1 of 2 done, 1 running, 0 failed");
  });
});
