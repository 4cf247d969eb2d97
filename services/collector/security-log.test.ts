import { expect, it } from "vitest";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { createSecurityLog, type Occurrence } from "./security-log.ts";

const OCCURRENCE: Occurrence = {
  kind: "INGEST_REJECTED",
  actor: "gw-a",
  object: "s1",
  reason: "malformed",
  digest: "aa",
};

function collect(occurrences: readonly Occurrence[]): SecurityEventInput[] {
  const emitted: SecurityEventInput[] = [];
  const log = createSecurityLog({ emit: (event) => emitted.push(event) });
  for (const occurrence of occurrences) log.record(occurrence);
  log.flush();
  log.flush();
  return emitted;
}

it("names the envelope of a single rejection", () => {
  expect(collect([OCCURRENCE])).toEqual([
    { kind: "INGEST_REJECTED", actor: "gw-a", object: "s1", reason: "malformed", count: 1, correlationId: "aa" },
  ]);
});

it("makes one event with a count of those alike, and names none of their envelopes", () => {
  expect(collect([OCCURRENCE, { ...OCCURRENCE, digest: "bb" }])).toMatchObject([{ count: 2, correlationId: null }]);
});

it("keeps gateways, sensors and verdicts apart", () => {
  const others = [{ actor: "gw-b" }, { object: "s2" }, { reason: "replay" }].map((other) => ({
    ...OCCURRENCE,
    ...other,
  }));
  expect(collect([OCCURRENCE, ...others])).toHaveLength(4);
});

it("counts by gateway and verdict alone when a flood names ever new sensors", () => {
  const events = collect(Array.from({ length: 5000 }, (_, n) => ({ ...OCCURRENCE, object: `s${n}`, digest: `d${n}` })));
  expect(events).toHaveLength(51);
  expect(events.at(-1)).toMatchObject({ object: "*", count: 4950, correlationId: null });
});
