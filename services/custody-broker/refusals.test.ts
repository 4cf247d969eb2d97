import { beforeEach, describe, expect, it } from "vitest";
import { encodeFrame, MAX_REFUSALS, parseRequest, REFUSAL_REASONS, type Refusal } from "../../custody/kem-frames.ts";
import { createRefusals } from "./refusals.ts";

let recorded: (readonly Refusal[])[];
let away: boolean;
beforeEach(() => {
  recorded = [];
  away = false;
});
const refusals = () =>
  createRefusals(async (refused) => {
    if (away) throw new Error("away");
    recorded.push(refused);
  });
const total = (refused: readonly Refusal[] = []) => refused.reduce((sum, { count }) => sum + count, 0);

describe("refusals", () => {
  it("are one record for each client and reason, with their number", async () => {
    const { count, flush } = refusals();
    for (let n = 0; n < 1000; n++) count("svc-collector", "rate");
    count("gw-01", "identity");
    await flush();
    await flush();
    expect(recorded).toEqual([
      [
        { client: "svc-collector", reason: "rate", count: 1000 },
        { client: "gw-01", reason: "identity", count: 1 },
      ],
    ]);
  });

  it("are kept until they can be recorded", async () => {
    const { count, flush } = refusals();
    away = true;
    count("gw-01", "identity");
    await flush();
    count("gw-01", "identity");
    away = false;
    await flush();
    expect(recorded).toEqual([[{ client: "gw-01", reason: "identity", count: 2 }]]);
  });

  it("fit into one frame, however many clients there are and whatever their names", async () => {
    const { count, flush } = refusals();
    for (let n = 0; n < 500; n++)
      for (const reason of REFUSAL_REASONS) count(n === 0 ? "" : `gw-${n}-${"x".repeat(100)}`, reason);
    await flush();
    const [refused = []] = recorded;
    expect(refused.length).toBeLessThanOrEqual(MAX_REFUSALS);
    expect(total(refused)).toBe(2000);
    expect(parseRequest(encodeFrame({ id: 1, refused }).subarray(4))).toMatchObject({ id: 1 });
  });

  it("lose none when they come back to those that were counted meanwhile", async () => {
    const { count, flush } = refusals();
    const fill = (from: number) => {
      for (let n = from; n < from + 40; n++) count(`gw-${n}`, "identity");
    };
    away = true;
    fill(0);
    const flushing = flush();
    fill(100);
    await flushing;
    away = false;
    await flush();
    expect(total(recorded[0])).toBe(80);
    expect(recorded[0]?.length).toBeLessThanOrEqual(MAX_REFUSALS);
  });
});
