import type { TerraformEvent } from "./events.ts";
import { type ResourceNames, wordsOf } from "./names.ts";

/** One step of a resource, for the view. */
export interface ProgressEvent {
  readonly address: string;
  /** Such as `component collector`. */
  readonly words: string;
  readonly action: "create" | "update" | "delete";
  readonly state: "started" | "running" | "done" | "failed";
  readonly elapsedSeconds: number;
}

const STATES = {
  apply_start: "started",
  apply_progress: "running",
  apply_complete: "done",
  apply_errored: "failed",
} as const;

const VERBS = {
  create: { going: "creating", done: "created" },
  update: { going: "changing", done: "changed" },
  delete: { going: "removing", done: "removed" },
} as const;

/** The step that an event reports; undefined for an event that is none. A replacement is a `delete` and a `create`. */
export function progressOf(event: TerraformEvent, names: ResourceNames): ProgressEvent | undefined {
  if (!("hook" in event)) return undefined;
  const { resource, action, elapsed_seconds } = event.hook;
  if (action !== "create" && action !== "update" && action !== "delete") return undefined;
  return {
    address: resource.addr,
    words: wordsOf(names, resource.addr),
    action,
    state: STATES[event.type],
    elapsedSeconds: elapsed_seconds ?? 0,
  };
}

/** The line of a step, off a terminal; undefined for the start, so that a quick resource has one line. */
export function renderProgressLine({ words, action, state, elapsedSeconds }: ProgressEvent): string | undefined {
  const verb = VERBS[action];
  if (state === "started") return undefined;
  if (state === "running") return `${words}: still ${verb.going} (${elapsedSeconds} s)`;
  return state === "done"
    ? `${words}: ${verb.done} (${elapsedSeconds} s)`
    : `${words}: ${verb.going} failed (${elapsedSeconds} s)`;
}

/** What a view on a terminal remembers. */
export interface LiveState {
  /** Planned steps; 0 while unknown. */
  readonly total: number;
  readonly steps: ReadonlyMap<string, ProgressEvent & { readonly startedAtMs: number }>;
}

/** The state before the first step. */
export function liveState(total: number): LiveState {
  return { total, steps: new Map() };
}

/** The state after a step, which came at `nowMs`. */
export function withProgress(state: LiveState, event: ProgressEvent, nowMs: number): LiveState {
  const key = `${event.action} ${event.address}`;
  const startedAtMs = state.steps.get(key)?.startedAtMs ?? nowMs - event.elapsedSeconds * 1000;
  return { ...state, steps: new Map(state.steps).set(key, { ...event, startedAtMs }) };
}

/**
 * The lines of the view: how far it is, what failed, and what runs, the longest first.
 * @param maxLines lines of the terminal that it may take, at least 2
 */
export function liveView({ total, steps }: LiveState, nowMs: number, maxLines: number): readonly string[] {
  const all = [...steps.values()];
  const failed = all.filter(({ state }) => state === "failed");
  const going = all
    .filter(({ state }) => state === "started" || state === "running")
    .sort((a, b) => a.startedAtMs - b.startedAtMs);
  const done = all.length - failed.length - going.length;
  const head = `${done}${total > 0 ? ` of ${total}` : ""} done, ${going.length} running, ${failed.length} failed`;
  const lines = [
    ...failed.map(({ words, action }) => `✗ ${words}: ${VERBS[action].going} failed`),
    ...going.map(
      ({ words, action, startedAtMs }) =>
        `… ${words}: ${VERBS[action].going} (${Math.floor((nowMs - startedAtMs) / 1000)} s)`,
    ),
  ];
  const room = maxLines - 1;
  if (lines.length <= room) return [head, ...lines];
  return [head, ...lines.slice(0, room - 1), `  and ${lines.length - room + 1} more`];
}
