import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchRoot } from "../audit/merkle.ts";
import type { Generation } from "../generation.ts";
import type { KemItem, KemResult } from "../kem.ts";
import type { Keyring } from "./keyring.ts";
import { activeOf, isOpened, type KeyringGround, newGround, sealTo } from "./test-support.ts";

let ground: KeyringGround;
let keyring: Keyring;
let old: Generation;
let active: Generation;
/** Every secret that the store gave out. */
let secrets: Uint8Array[];
let asked: string[];
let appending: (kind: string) => Promise<void>;

beforeEach(async () => {
  ground = await newGround();
  [secrets, asked, appending] = [[], [], async () => undefined];
  const store = {
    ...ground.store,
    decapsulate: async (keyId: string, encapsulated: readonly Uint8Array[]) => {
      asked.push(keyId);
      const results = await ground.store.decapsulate(keyId, encapsulated);
      secrets.push(...results.filter((result) => result !== null));
      return results;
    },
  };
  const audit = {
    lastGenerations: ground.audit.lastGenerations,
    append: async (entry: Parameters<typeof ground.audit.append>[0]) => {
      await appending(entry.kind);
      return ground.audit.append(entry);
    },
  };
  keyring = await ground.open({ store, audit });
  old = activeOf(keyring);
  active = await keyring.generate("op", { state: "active" });
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const decapsulate = (items: readonly KemItem[], use: "live" | "stored" = "live") =>
  keyring.decapsulate({ client: "svc-collector", use, items });
const records = () => ground.audit.records.filter(({ kind }) => kind === "decapsulated");
const zeros = () => secrets.length > 0 && secrets.every((secret) => secret.every((byte) => byte === 0));
const stranger = (): KemItem => ({ ...sealTo(active).item, keyId: Buffer.alloc(8, 7) });
const lowOrder = (): KemItem => ({ ...sealTo(active).item, encapsulatedKey: Buffer.alloc(32) });

/** A promise that a test resolves. */
function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { closed: promise, open: resolve };
}

describe("a batch", () => {
  it("is answered in its order, with one call of the store for each key", async () => {
    const [a, b, c] = [sealTo(active), sealTo(old), sealTo(active)];
    const results = await decapsulate([a.item, stranger(), b.item, lowOrder(), c.item]);
    expect([
      isOpened(results[0], a.ciphertext),
      isOpened(results[2], b.ciphertext),
      isOpened(results[4], c.ciphertext),
    ]).toEqual([true, true, true]);
    expect([results[1], results[3]]).toEqual(["unknown-key", "decapsulation-failed"]);
    expect(asked.toSorted()).toEqual([active.keyId, old.keyId].toSorted());
  });

  it("has one record, with what became of each key's items and the root of all", async () => {
    const items = [sealTo(active).item, stranger(), sealTo(old).item, lowOrder(), sealTo(active).item];
    const results = await decapsulate(items, "stored");
    expect(records()).toMatchObject([
      {
        actor: "svc-collector",
        client: "svc-collector",
        use: "stored",
        keys: [
          { keyId: active.keyId, opened: 2, failed: 1 },
          { keyId: old.keyId, opened: 1, failed: 0 },
        ],
        unknown: 1,
        items: 5,
        root: batchRoot(items, results),
      },
    ]);
  });

  it("of unknown keys alone is recorded, and asks no store", async () => {
    const sealed = { ...sealTo(keyring.packageKey).item };
    expect(await decapsulate([stranger(), sealed])).toEqual(["unknown-key", "unknown-key"]);
    expect([asked, records()]).toMatchObject([[], [{ keys: [], unknown: 2, items: 2 }]]);
  });

  it("of nothing is answered without a record", async () => {
    expect([await decapsulate([]), records()]).toEqual([[], []]);
  });

  it.each([0, 7, 9])("is refused as a whole when a key id has %i bytes", async (length) => {
    const { item } = sealTo(active);
    await expect(decapsulate([item, { ...item, keyId: Buffer.alloc(length) }])).rejects.toThrow(RangeError);
    expect([zeros(), records()]).toEqual([true, []]);
  });

  it.each([0, 31, 33])("fails one encapsulated key of %i bytes, and no other", async (length) => {
    const { item, ciphertext } = sealTo(active);
    const results = await decapsulate([{ ...item, encapsulatedKey: Buffer.alloc(length, 9) }, item]);
    expect([results[0], isOpened(results[1], ciphertext)]).toEqual(["decapsulation-failed", true]);
  });
});

describe("no answer without a record", () => {
  it("leaves before the record is there", async () => {
    const { closed, open } = gate();
    appending = () => closed;
    const seen: (readonly KemResult[])[] = [];
    const answer = decapsulate([sealTo(active).item]).then((results) => seen.push(results));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([seen, records()]).toEqual([[], []]);
    open();
    await answer;
    expect([seen.length, records().length]).toEqual([1, 1]);
  });

  it("leaves when the record is refused, and every secret is zeroed", async () => {
    appending = () => Promise.reject(new Error("no space"));
    await expect(decapsulate([sealTo(active).item, sealTo(old).item])).rejects.toThrow("no space");
    expect([zeros(), records()]).toEqual([true, []]);
  });

  it("leaves when the store fails at a later key, and every secret is zeroed", async () => {
    const items = [sealTo(active).item, sealTo(old).item];
    ground.store.keys.delete(old.keyId);
    await expect(decapsulate(items)).rejects.toMatchObject({ code: "CUSTODY_KEY_MISSING" });
    expect([zeros(), secrets.length, records()]).toEqual([true, 1, []]);
  });
});

describe("a change while a batch is opened", () => {
  it("takes a destroyed generation's secrets away, and records them as unknown", async () => {
    const { closed, open } = gate();
    const { item, ciphertext } = sealTo(active);
    const slow = {
      ...ground.store,
      decapsulate: async (...args: Parameters<typeof ground.store.decapsulate>) => {
        const results = await ground.store.decapsulate(...args);
        secrets.push(...results.filter((result) => result !== null));
        await closed;
        return results;
      },
    };
    const other = await ground.open({ store: slow });
    const answer = other.decapsulate({ client: "svc-collector", use: "live", items: [sealTo(old).item, item] });
    await other.destroy("op", old.keyId);
    open();
    const results = await answer;
    expect([results[0], isOpened(results[1], ciphertext)]).toEqual(["unknown-key", true]);
    expect(secrets[0]?.every((byte) => byte === 0)).toBe(true);
    expect(records()).toMatchObject([{ keys: [{ keyId: active.keyId }], unknown: 1, items: 2 }]);
  });

  it("makes a key unknown that the store lost because it was destroyed", async () => {
    const { closed, open } = gate();
    const slow = {
      ...ground.store,
      decapsulate: async (...args: Parameters<typeof ground.store.decapsulate>) => {
        await closed;
        return ground.store.decapsulate(...args);
      },
    };
    const other = await ground.open({ store: slow });
    const answer = other.decapsulate({ client: "svc-collector", use: "live", items: [sealTo(old).item] });
    await other.destroy("op", old.keyId);
    open();
    expect(await answer).toEqual(["unknown-key"]);
  });

  it("closes a compromised key to live use from the moment that its record is asked for, and to no other", async () => {
    const [asking, { closed, open }] = [gate(), gate()];
    appending = async (kind) => {
      if (kind !== "generation") return;
      asking.open();
      await closed;
    };
    const change = keyring.compromise("op", old.keyId, { stored: "allow", reason: "seen" });
    await asking.closed;
    expect(await decapsulate([sealTo(old).item], "live")).toEqual(["unknown-key"]);
    expect(asked).toEqual([]);
    expect(await decapsulate([sealTo(old).item], "stored")).toEqual([expect.any(Uint8Array)]);
    open();
    await change;
    expect(await decapsulate([sealTo(old).item], "live")).toEqual(["unknown-key"]);
  });

  it("blocks nothing any more when its record is refused", async () => {
    const { closed, open } = gate();
    const asked = gate();
    appending = async (kind) => {
      if (kind !== "generation") return;
      asked.open();
      await closed;
      throw new Error("no space");
    };
    const change = keyring.compromise("op", old.keyId, { stored: "block", reason: "seen" });
    await asked.closed;
    expect(await decapsulate([sealTo(old).item], "stored")).toEqual(["unknown-key"]);
    open();
    await expect(change).rejects.toThrow("no space");
    expect(await decapsulate([sealTo(old).item], "stored")).toEqual([expect.any(Uint8Array)]);
  });
});
