import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideOrder, type SensorOrder } from "../../protocol/collector-order.ts";
import { type BootRow, keyOf, planOrder, reachesBelowFloor } from "./store-order.ts";
import type { StoreRow } from "./store-types.ts";

const DAY_MS = 86_400_000;
const SENSOR = "0123";

function row(bootId: number, seq: number, salt = 0): StoreRow {
  return {
    message: { gateway: "gw-01", sensorId: SENSOR, bytes: Buffer.alloc(0), receivedAtMs: 0 },
    digest: Buffer.from([bootId, seq, salt]),
    fields: { bootId, seq, timestamp: 0, flags: 0, keyId: Buffer.alloc(8), payload: Buffer.alloc(0) },
    allowlistVersion: 1,
  };
}
const boot = (bootId: number, greatestSeq: number, ageDays = 0): BootRow => ({
  ...{ sensorId: SENSOR, bootId, greatestSeq },
  firstSeenAtMs: 100 * DAY_MS - ageDays * DAY_MS,
});
const NOW_MS = 100 * DAY_MS;
const plan = (rows: readonly StoreRow[], boots: readonly BootRow[], stored: readonly StoreRow[] = []) =>
  planOrder(rows, { boots, stored: new Map(stored.map((known) => [keyOf(known), known.digest])) }, NOW_MS);

describe("the plan of a batch", () => {
  it("is what the reference decides message by message", () => {
    const message = fc.tuple(fc.nat(3), fc.oneof(fc.nat(3), fc.integer({ min: 62, max: 68 })), fc.nat(1));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
        let state: SensorOrder | undefined;
        const rows = messages.map((values) => row(...values));
        const expected = rows.map(({ fields, digest }) => {
          const decision = decideOrder(state, { ...fields, digest: String(digest), nowMs: NOW_MS });
          state = decision.next;
          return [decision.verdict, decision.late];
        });
        const results = plan(rows, []).results.map((result) => [result.verdict, "late" in result && result.late]);
        expect(results).toEqual(expected);
      }),
    );
  });

  it("moves on only the boots that it accepted something of", () => {
    const { sensors } = plan([row(2, 9), row(2, 5), row(1, 1)], [boot(1, 0), boot(2, 4)], [row(1, 1)]);
    expect(sensors).toEqual([{ sensorId: SENSOR, newest: 0, boots: [{ bootId: 2, greatestSeq: 9 }] }]);
  });

  it("names no newest row where a newer one is stored", () => {
    expect(plan([row(2, 3), row(1, 9)], [boot(2, 4)]).sensors[0]?.newest).toBeUndefined();
  });

  it("changes nothing for what it did not accept", () => {
    expect(plan([row(1, 1)], [boot(1, 1)], [row(1, 1)]).sensors).toEqual([]);
    expect(plan([row(1, 2)], [boot(3, 1, 30)]).sensors).toEqual([]);
  });
});

it("must know what is stored only below a floor", () => {
  const boots = [boot(3, 1, 30), boot(4, 1, 29)];
  expect(reachesBelowFloor([row(3, 5), row(4, 5)], boots, NOW_MS)).toBe(false);
  expect(reachesBelowFloor([row(4, 5), row(2, 5)], boots, NOW_MS)).toBe(true);
});
