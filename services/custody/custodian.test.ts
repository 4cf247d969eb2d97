import { beforeEach, describe, expect, it } from "vitest";
import { storeAway, type TestKeys, testKeys } from "./test-keys.ts";

let keys: TestKeys;
beforeEach(() => {
  keys = testKeys();
});
const kinds = () => keys.events.map(({ kind }) => kind);
const away = storeAway("the PIN is 4711");

describe("a custodian", () => {
  it("is sealed at first, and has no keys", () => {
    expect(keys.custodian.opened()).toBeNull();
    expect(() => keys.custodian.unsealed()).toThrow(
      expect.objectContaining({ code: "CUSTODY_SEALED", message: "SEALED" }),
    );
  });

  it("tells a start from an order to seal", async () => {
    expect(keys.custodian.sealedBecause()).toBe("started");
    keys.openFails = away;
    await keys.custodian.unseal("op-anna").catch(() => undefined);
    expect(keys.custodian.sealedBecause()).toBe("started");
    await keys.custodian.seal("op-anna", "no unsealing by itself");
    expect(keys.custodian.sealedBecause()).toBe("ordered");
  });

  it("tells who unsealed and who sealed, and records the sealing before it lets go of the keys", async () => {
    await keys.custodian.unseal("op-anna");
    await keys.custodian.seal("op-bert", "a visit");
    expect(keys.events).toMatchObject([
      { kind: "CUSTODY_UNSEALED", actor: "op-anna", reason: "file, software" },
      { kind: "CUSTODY_SEALED", actor: "op-bert", reason: "a visit, recorded" },
    ]);
    expect(keys.recorded).toEqual([{ kind: "sealed", actor: "op-bert", detail: { reason: "a visit" } }]);
    expect([keys.closed, keys.custodian.opened()]).toEqual([1, null]);
  });

  it("seals also where that cannot be recorded, and says so", async () => {
    await keys.custodian.unseal("op-anna");
    keys.appendFails = away;
    await keys.custodian.seal("op-anna", "fire");
    expect(keys.custodian.opened()).toBeNull();
    expect(keys.closed).toBe(1);
    expect(keys.events.at(-1)?.reason).toBe("fire, unrecorded: TEST_STORE_AWAY");
  });

  it("stays sealed when it cannot be unsealed, throws why, and tells the code alone", async () => {
    keys.openFails = away;
    await expect(keys.custodian.unseal("op-anna")).rejects.toBe(away);
    expect(keys.custodian.opened()).toBeNull();
    expect(keys.events).toMatchObject([{ kind: "CUSTODY_UNSEAL_FAILED", actor: "op-anna", reason: "TEST_STORE_AWAY" }]);
    expect(JSON.stringify(keys.events)).not.toContain("4711");
    delete keys.openFails;
    await keys.custodian.unseal("op-anna");
    expect(keys.custodian.opened()).not.toBeNull();
  });

  it("does not tell the words of an error that is not ours", async () => {
    keys.openFails = new Error("the key is 00112233");
    await expect(keys.custodian.unseal("op-anna")).rejects.toThrow();
    expect(JSON.stringify(keys.events)).not.toContain("00112233");
  });

  it("does one after the other, and nothing twice", async () => {
    const { custodian } = keys;
    await Promise.all([
      custodian.unseal("a"),
      custodian.unseal("b"),
      custodian.seal("c", "x"),
      custodian.seal("d", "x"),
    ]);
    expect(kinds()).toEqual(["CUSTODY_UNSEALED", "CUSTODY_SEALED"]);
    expect(keys.closed).toBe(1);
  });
});
