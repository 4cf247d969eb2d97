import { describe, expect, it } from "vitest";
import { captureOf } from "./message/capture.ts";
import { type Met, missedOf } from "./witnesses.ts";

const SUMMARY =
  "tcpdump: listening on any\n12 packets captured\n14 packets received by filter\n0 packets dropped by kernel\n";
const capture = (container: string) => captureOf(container, Buffer.alloc(0), SUMMARY);
const silent = captureOf("broker", Buffer.alloc(0), SUMMARY.replace("12 packets", "0 packets"));
const SENSOR = "the sensor's id";
const CIPHERTEXT = "the ciphertext through gw-01";
const SOUND: Met = {
  journey: {
    deliveries: [{ gateway: "gw-01", answer: "2.04", receipt: true, stored: { rows: 1, whole: 1 } }],
    captures: ["broker", "collector", "database", "gw-01", "loki"].map(capture),
  },
  unsettled: { broker: null, metrics: null, logs: null },
  met: [
    { canary: SENSOR, place: "volumes/gw-01/state/gateway.db" },
    { canary: SENSOR, place: "volumes/backend/state/registry.db-wal" },
    { canary: CIPHERTEXT, place: "traffic of gw-01" },
  ],
};

const missed = (changes: Partial<Met>) =>
  Object.entries(missedOf({ ...SOUND, ...changes })).flatMap(([check, why]) => (why.length > 0 ? [check] : []));
const without = (canary: string, place: string) => ({
  met: SOUND.met.filter((hit) => hit.canary !== canary || !hit.place.startsWith(place)),
});

it("misses nothing where everything was met", () => {
  expect(missed({})).toEqual([]);
});

describe("misses in its place", () => {
  it.each<readonly [check: string, what: string, changes: Partial<Met>]>([
    ["data.gateway", "a gateway's files without the allowlist", without(SENSOR, "volumes/gw-01")],
    ["data.operations", "a backend's files without the sensor", without(SENSOR, "volumes/backend")],
    ["data.traffic", "a gateway's capture without the ciphertext", without(CIPHERTEXT, "traffic of gw-01")],
    ["data.broker", "a broker that saved nothing", { unsettled: { ...SOUND.unsettled, broker: "not since" } }],
    ["data.logs", "a Loki without a line", { unsettled: { ...SOUND.unsettled, logs: "no line" } }],
    ["data.metrics", "a Prometheus that read nothing", { unsettled: { ...SOUND.unsettled, metrics: "not read" } }],
    [
      "data.traffic",
      "a capture without a packet",
      {
        journey: {
          ...SOUND.journey,
          captures: SOUND.journey.captures.map((each) => (each.container === "broker" ? silent : each)),
        },
      },
    ],
    ...["broker", "collector", "database", "gw-01"].map(
      (name) =>
        [
          "data.traffic",
          `a capture beside ${name}`,
          {
            journey: {
              ...SOUND.journey,
              captures: SOUND.journey.captures.filter(({ container }) => container !== name),
            },
          },
        ] as const,
    ),
  ])("%s: %s", (check, _, changes) => {
    expect(missed(changes)).toEqual([check]);
  });
});

describe("a capture", () => {
  it("is whole where tcpdump counted and lost nothing", () => {
    expect(capture("broker")).toMatchObject({ packets: 12, fault: null });
  });

  it.each([
    ["packets that the kernel lost", SUMMARY.replace("0 packets dropped", "3 packets dropped"), /lost 3/],
    ["a tcpdump that could not begin", "tcpdump: any: You don't have permission", /permission/],
    ["a tcpdump that was killed", "tcpdump: listening on any", /did not end/],
    ["no word at all", "", /did not end/],
  ])("is none of %s", (_, stderr, fault) => {
    expect(captureOf("broker", Buffer.alloc(0), stderr).fault).toMatch(fault);
  });
});
