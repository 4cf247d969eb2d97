import { beforeEach, describe, expect, it } from "vitest";
import { auditErrors } from "../../custody/audit/errors.ts";
import { packItems } from "../../custody/kem-items.ts";
import { createKemAnswer, type KemAnswer } from "./kem-answer.ts";
import { storeAway, type TestKeys, testKeys } from "./test-keys.ts";

let keys: TestKeys;
let kem: KemAnswer;
let logged: object[];
const used: number[] = [];
const batch = {
  id: 5,
  client: "svc-collector",
  use: "stored" as const,
  items: packItems(Array(3).fill({ keyId: Buffer.alloc(8), encapsulatedKey: Buffer.alloc(32) })),
};
beforeEach(async () => {
  keys = testKeys();
  logged = [];
  used.length = 0;
  const note = (what: object): number => logged.push(what);
  const usage = { record: (items: readonly unknown[]) => used.push(items.length) };
  kem = createKemAnswer({ custodian: keys.custodian, usage, log: { warn: note, error: note } as never });
  await keys.custodian.unseal("op-anna");
});

describe("what custody answers", () => {
  it("is the results of a batch, which is counted", async () => {
    const answer = await kem.answer(batch);
    expect("results" in answer && answer.results.length).toBe(99);
    expect(keys.asked).toEqual(["decapsulate 3 stored for svc-collector"]);
    expect(kem.counters).toMatchObject({ batches: 1, items: 3 });
    expect(used).toEqual([3]);
  });

  it("is nothing to follow for one that is alone, and no state: it is no writer", async () => {
    expect(await kem.answer({ id: 1, follow: true })).toEqual({ id: 1 });
    const state = { challenge: new Uint8Array(32), known: "0".repeat(64) };
    const refused = { id: 1, error: "unavailable", code: "CUSTODY_WRITER_CHANGING" };
    expect(await kem.answer({ id: 1, state })).toEqual(refused);
    await keys.custodian.seal("op-anna", "x");
    expect(await kem.answer({ id: 1, state })).toEqual({ id: 1, error: "sealed" });
    expect(kem.counters.sealed).toBe(0);
  });

  it("is whether it is sealed", async () => {
    expect(await kem.answer({ id: 1 })).toEqual({ id: 1 });
    await keys.custodian.seal("op-anna", "x");
    expect(await kem.answer({ id: 1 })).toEqual({ id: 1, error: "sealed" });
    expect(await kem.answer(batch)).toEqual({ id: 5, error: "sealed" });
  });

  it("records what the broker refused, before it says so", async () => {
    const refusal = { client: "gw-01", reason: "identity", count: 3 } as const;
    expect(await kem.answer({ id: 1, refused: [refusal] })).toEqual({ id: 1 });
    expect(keys.recorded).toEqual([{ kind: "refused", actor: "custody-broker", detail: refusal }]);
    keys.appendFails = storeAway("full");
    expect(await kem.answer({ id: 2, refused: [refusal] })).toMatchObject({ error: "unavailable" });
  });

  it("is the code of what keeps it from opening, and no verdict", async () => {
    keys.keyringFails = storeAway("the PIN is 4711");
    expect(await kem.answer(batch)).toEqual({ id: 5, error: "unavailable", code: "TEST_STORE_AWAY" });
    expect(kem.counters).toMatchObject({ batches: 0, items: 0, unavailable: 1 });
    expect(used).toEqual([]);
    expect(JSON.stringify(logged)).not.toContain("4711");
  });

  it("logs of an audit log that was changed what is wrong with which file, and what opens it anew", async () => {
    keys.keyringFails = auditErrors.error("CUSTODY_AUDIT_CORRUPT", '"audit-1.ndjson" was cut', {
      path: "audit-1.ndjson",
    });
    await kem.answer(batch);
    const fix = expect.stringContaining("trustkern keys unseal");
    const reason = '"audit-1.ndjson" was cut';
    expect(logged).toContainEqual({ code: "CUSTODY_AUDIT_CORRUPT", reason, path: "audit-1.ndjson", fix });
  });

  it("says of an error that is not ours that it is none", async () => {
    keys.keyringFails = new Error("what");
    expect(await kem.answer(batch)).toEqual({ id: 5, error: "unavailable", code: "SERVICE_INTERNAL" });
  });

  it("is sealed for a batch that the sealing ended", async () => {
    keys.meanwhile = async () => {
      await keys.custodian.seal("op-anna", "x");
      keys.keyringFails = new Error("closed");
    };
    expect(await kem.answer(batch)).toEqual({ id: 5, error: "sealed" });
  });
});
