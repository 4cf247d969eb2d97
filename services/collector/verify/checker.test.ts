import { describe, expect, it } from "vitest";
import { type BatchCheck, checkBatch } from "./checker.ts";
import { lookup, messageOf, openKem, vectors } from "./test-vectors.ts";

const CHECK: BatchCheck = {
  lookup,
  fresh: true,
  openKem,
  onFault: (thrown) => {
    throw thrown;
  },
};
const outcomes = async (names: readonly string[], check: Partial<BatchCheck> = {}) =>
  (await checkBatch(names.map(messageOf), { ...CHECK, ...check })).map(({ outcome }) => outcome);
const NAMES = vectors.single.map(({ name }) => name);

describe("checkBatch", () => {
  it("gives every single vector its verdict, all in one batch", async () => {
    expect(await outcomes(NAMES)).toEqual(vectors.single.map(({ verdict }) => verdict));
  });

  it("asks custody once for a batch, and only about envelopes whose signature verified", async () => {
    const asked: number[] = [];
    await outcomes(NAMES, {
      openKem: (items) => {
        asked.push(items.length);
        return openKem(items);
      },
    });
    const beforeKem = ["malformed", "unsupported-version", "unknown-sensor", "revoked-sensor", "bad-signature"];
    expect(asked).toEqual([vectors.single.filter(({ verdict }) => !beforeKem.includes(verdict)).length]);
  });

  it("calls an envelope on another sensor's topic malformed, before anything else about the sensor", async () => {
    const [result] = await checkBatch([{ ...messageOf("valid 1"), sensorId: "00".repeat(9) }], CHECK);
    expect(result?.outcome).toBe("malformed");
  });

  it("gives no verdict about an unknown sensor unless the allowlist is fresh", async () => {
    expect(await outcomes(["sensor that is not on the allowlist"], { fresh: false })).toEqual(["unlisted"]);
    expect(await outcomes(["sensor that is not on the allowlist"])).toEqual(["unknown-sensor"]);
  });

  it("rejects a revoked sensor without looking at its signature", async () => {
    expect(await outcomes(["valid 1", "zero signature"], { lookup: () => ({ kind: "revoked" }) })).toEqual([
      "revoked-sensor",
      "revoked-sensor",
    ]);
  });

  it("calls a KEM ciphertext that cannot be opened decrypt-failed", async () => {
    expect(await outcomes(["valid 1"], { openKem: async () => ["decapsulation-failed"] })).toEqual(["decrypt-failed"]);
  });

  it("gives no verdict when a check cannot run, and checks the rest of the batch", async () => {
    const faults: unknown[] = [];
    const broken = { openKem: async () => [], onFault: (thrown: unknown) => faults.push(thrown) };
    expect(await outcomes(["valid 1", "cut short"], broken)).toEqual(["fault", "malformed"]);
    expect(faults).toHaveLength(1);
  });

  it("gives no verdict at all while custody does not answer", async () => {
    const answer = outcomes(["valid 1", "cut short"], { openKem: () => new Promise(() => undefined) });
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 20, "waits"))])).toBe("waits");
  });
});
