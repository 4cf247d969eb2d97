import { beforeEach, describe, expect, it } from "vitest";
import type { CheckResult } from "../verify/packing.ts";
import type { CheckedBatch } from "../verify/pool.ts";
import { createDispatcher, type Dispatcher, type DropReason } from "./dispatcher.ts";
import { createIntakeQueue, type Message } from "./queue.ts";

const digest = Buffer.alloc(32);
let clock: number;
let freshSince: number;
let listed: boolean;
let room: number;
let dispatched: { messages: readonly Message[]; fresh: boolean }[];
let verdicts: CheckedBatch[];
let dropped: { messages: readonly Message[]; reason: DropReason }[];
let refreshes: number;
let dispatcher: Dispatcher;

beforeEach(() => {
  [clock, freshSince, listed, room, refreshes] = [1000, 0, true, 10, 0];
  [dispatched, verdicts, dropped] = [[], [], []];
  dispatcher = createDispatcher({
    queue: createIntakeQueue(3),
    pool: {
      hasRoom: () => dispatched.length < room,
      dispatch: (messages, fresh) => dispatched.push({ messages, fresh }),
    },
    freshSince: () => freshSince,
    refreshAllowlist: () => refreshes++,
    hasAllowlist: () => listed,
    now: () => clock,
    batchSize: 2,
    maxHeld: 100,
    parkMs: 20_000,
    onVerdicts: (batch) => verdicts.push(batch),
    onDropped: (messages, reason) => dropped.push({ messages, reason }),
  });
});

const message = (): Message => ({
  gateway: "gw-a",
  sensorId: "00".repeat(9),
  bytes: Buffer.of(1),
  receivedAtMs: clock,
});
const checked = (...outcomes: Exclude<CheckResult["outcome"], "accepted">[]): CheckedBatch => ({
  messages: (dispatched.shift() ?? { messages: [] }).messages,
  results: outcomes.map((outcome) => ({ outcome, digest })),
  allowlistVersion: 7,
});
/** Accepts and hands to a thread. */
function send(count: number): void {
  for (let n = 0; n < count; n++) dispatcher.accept(message());
  dispatcher.pump();
}

describe("the dispatcher", () => {
  it("cuts what waits into batches, and never calls an allowlist fresh by itself", () => {
    send(3);
    expect(dispatched.map(({ messages, fresh }) => [messages.length, fresh])).toEqual([
      [2, false],
      [1, false],
    ]);
  });

  it("dispatches nothing without an allowlist or without room", () => {
    listed = false;
    send(1);
    listed = true;
    room = 0;
    dispatcher.pump();
    expect(dispatched).toEqual([]);
    room = 1;
    dispatcher.pump();
    expect(dispatched).toHaveLength(1);
  });

  it("drops what overflows, and drops nothing that was in before", () => {
    send(4);
    expect(dropped.map(({ reason, messages }) => [reason, messages.length])).toEqual([["overflow", 1]]);
    expect(dispatched.flatMap(({ messages }) => messages)).toHaveLength(3);
  });

  it("passes verdicts on, and parks a message of an unlisted sensor without one", () => {
    send(2);
    dispatcher.onChecked(checked("bad-signature", "unlisted"));
    expect(
      verdicts.map(({ messages, results, allowlistVersion }) => [messages.length, results.length, allowlistVersion]),
    ).toEqual([[1, 1, 7]]);
    expect(dispatcher.parked()).toBe(1);
    expect(refreshes).toBe(1);
  });

  it("checks a parked message again once the allowlist was fetched after it came, and not before", () => {
    send(1);
    dispatcher.onChecked(checked("unlisted"));
    freshSince = clock;
    dispatcher.retryParked();
    expect([dispatcher.parked(), dispatched.length]).toEqual([1, 0]);
    freshSince = clock + 1;
    dispatcher.retryParked();
    expect(dispatcher.parked()).toBe(0);
    expect(dispatched.map(({ fresh }) => fresh)).toEqual([true]);
  });

  it("drops a parked message without a verdict when the backend stays away", () => {
    send(1);
    dispatcher.onChecked(checked("unlisted"));
    clock += 20_000;
    dispatcher.retryParked();
    expect(verdicts).toEqual([]);
    expect(dropped.map(({ reason }) => reason)).toEqual(["unlisted"]);
    send(3);
    expect(dropped).toHaveLength(1);
  });

  it("drops a message whose check failed to run, and gives its room back", () => {
    send(2);
    dispatcher.onChecked(checked("fault", "fault"));
    expect(verdicts).toEqual([]);
    expect(dropped.map(({ reason, messages }) => [reason, messages.length])).toEqual([["fault", 2]]);
    send(3);
    expect(dropped).toHaveLength(1);
  });
});
