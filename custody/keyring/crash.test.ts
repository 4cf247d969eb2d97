import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditErrors } from "../audit/errors.ts";
import { sealGenerationPackage } from "../package.ts";
import type { Keyring } from "./keyring.ts";
import { type KeyringLog, mortal } from "./test-memory.ts";
import { activeOf, type KeyringGround, newGround, opens, prepared, retiredOf } from "./test-support.ts";
import { expectWhole } from "./test-whole.ts";

let ground: KeyringGround;

beforeEach(async () => {
  ground = await newGround();
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const newPrivate = () => generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
const IMPORTED = newPrivate();
const changes = () => ground.audit.records.flatMap((record) => (record.kind === "generation" ? [record.change] : []));
const refusal = () => auditErrors.error("CUSTODY_AUDIT_UNAVAILABLE", "no space");
const packageFor = ({ packageKey }: Keyring) =>
  Buffer.from(
    sealGenerationPackage({
      importKey: packageKey.publicKey,
      privateKey: IMPORTED,
      metadata: { tenant: "acme", createdAt: "2026-01-01T00:00:00.000Z" },
    }),
  );

const CHANGES: Readonly<Record<string, (keyring: Keyring) => Promise<unknown>>> = {
  "generate next": (keyring) => keyring.generate("op", { state: "next" }),
  "generate active": (keyring) => keyring.generate("op", { state: "active" }),
  activate: (keyring) => keyring.activate("op", keyring.list().at(-1)?.keyId ?? ""),
  destroy: (keyring) => keyring.destroy("op", retiredOf(keyring).keyId),
  compromise: (keyring) => keyring.compromise("op", activeOf(keyring).keyId, { stored: "allow", reason: "seen" }),
  "import a key": (keyring) => keyring.importKey("op", IMPORTED, { state: "next" }),
  "import a package": (keyring) => keyring.importPackage("op", packageFor(keyring)),
};

describe("a process that dies at any step", () => {
  const deaths = (["before", "after"] as const).flatMap((when) => Object.keys(CHANGES).map((name) => ({ name, when })));

  it.each(deaths)("$when one of: $name, leaves the old generations or the new ones", async ({ name, when }) => {
    for (let step = 1, reached = true; reached; step++) {
      ground = await newGround();
      const before = (await prepared(ground)).list();
      const dying = mortal(ground, { step, when });
      const keyring = await ground.open(dying);
      const change = CHANGES[name]?.(keyring);
      reached =
        (await change?.then(
          () => false,
          () => true,
        )) ?? false;
      const after = (await expectWhole(ground)).list();
      if (!reached) expect(after).toEqual(keyring.list());
      else expect(after.length - before.length).toBeOneOf([0, 1]);
      rmSync(ground.folder, { recursive: true });
      expect(step).toBeLessThan(10);
    }
  });

  it.each(["before", "after"] as const)("%s one of the first opening, is followed by a first opening", async (when) => {
    for (let step = 1, died = true; died; step++) {
      ground = await newGround();
      const dying = mortal(ground, { step, when });
      await ground.open(dying).catch(() => undefined);
      died = dying.died();
      expect((await expectWhole(ground)).list()).toHaveLength(1);
      rmSync(ground.folder, { recursive: true });
    }
  });
});

describe("a record that is refused", () => {
  /** @param refuses which of the appends from now on */
  const refusing = (refuses: (append: number) => boolean, lands = false): KeyringLog => {
    let appends = 0;
    return {
      lastGenerations: ground.audit.lastGenerations,
      append: async (entry) => {
        appends += 1;
        if (!refuses(appends)) return ground.audit.append(entry);
        if (lands) await ground.audit.append(entry);
        throw refusal();
      },
    };
  };
  const cases = Object.keys(CHANGES).flatMap((name) =>
    [1, 2].flatMap((at) => [true, false].map((lands) => ({ name, at, lands }))),
  );

  it.each(cases)(
    "as number $at of: $name (lands: $lands), changes nothing, and the next change goes on",
    async ({ name, at, lands }) => {
      const { length } = (await prepared(ground)).list();
      const keyring = await ground.open({ audit: refusing((append) => append === at, lands) });
      const before = keyring.list();
      const change = CHANGES[name]?.(keyring);
      const single = name === "activate";
      if (single && at === 2) return expect(change).resolves.toBeDefined();
      await expect(change).rejects.toMatchObject({ code: "CUSTODY_AUDIT_UNAVAILABLE" });
      // The second record of a destruction says that the key is gone, and it is.
      if (name === "destroy" && at === 2) expect(keyring.list()[0]?.state).toBe("destroyed");
      else expect(keyring.list()).toEqual(before);
      await keyring.generate("op", { state: "next" });
      expect((await expectWhole(ground)).list()).toHaveLength(length + 1);
    },
  );

  it.each([true, false])("for good (lands: %s), leaves what the next opening finishes or undoes", async (lands) => {
    for (const change of Object.values(CHANGES)) {
      for (const from of [1, 2]) {
        ground = await newGround();
        const before = (await prepared(ground)).list();
        const keyring = await ground.open({ audit: refusing((append) => append >= from, lands) });
        await change(keyring).catch(() => undefined);
        await keyring.close();
        const after = await expectWhole(ground);
        expect(after.list().length - before.length).toBeOneOf([0, 1]);
        rmSync(ground.folder, { recursive: true });
      }
    }
  });

  it("is withdrawn by a record that names the key that was made for nothing", async () => {
    await prepared(ground);
    const keyring = await ground.open({ audit: refusing((append) => append === 2) });
    await keyring.generate("op", { state: "next" }).catch(() => undefined);
    const last = ground.audit.records.at(-1);
    expect(last).toMatchObject({
      kind: "generation",
      change: "withdrawn",
      actor: "custody",
      keyIds: [expect.any(String)],
    });
    expect(ground.store.keys.size).toBe(4);
  });
});

describe("a disk that takes no state", () => {
  it("refuses the change, withdraws it, and takes the next one", async () => {
    const keyring = await prepared(ground);
    const before = keyring.list();
    mkdirSync(`${ground.file}.tmp`);
    await expect(keyring.generate("op", { state: "active" })).rejects.toMatchObject({
      code: "CUSTODY_STATE_UNWRITABLE",
    });
    expect([keyring.list(), changes().at(-1)]).toEqual([before, "withdrawn"]);
    rmdirSync(`${ground.file}.tmp`);
    await keyring.generate("op", { state: "active" });
    expect((await expectWhole(ground)).list()).toHaveLength(4);
  });

  it("and a store that is away, too, finishes the change at the next opening", async () => {
    await prepared(ground);
    let away = false;
    const store = {
      ...ground.store,
      list: async () => (away ? Promise.reject(new Error("pulled out")) : ground.store.list()),
    };
    const keyring = await ground.open({ store });
    mkdirSync(`${ground.file}.tmp`);
    away = true;
    await expect(keyring.generate("op", { state: "active" })).rejects.toMatchObject({
      code: "CUSTODY_STATE_UNWRITABLE",
    });
    await expect(keyring.generate("op", { state: "active" })).rejects.toThrow("pulled out");
    rmdirSync(`${ground.file}.tmp`);
    expect((await expectWhole(ground)).list().map(({ state }) => state)).toEqual([
      "retired",
      "retired",
      "next",
      "active",
    ]);
  });
});

describe("a store that cannot destroy", () => {
  it.each(["the next change", "the next opening"])("opens nothing with that key, and loses it at %s", async (when) => {
    await prepared(ground);
    let stuck = true;
    const destroy = async (keyId: string) =>
      stuck ? Promise.reject(new Error("pulled out")) : ground.store.destroy(keyId);
    const keyring = await ground.open({ store: { ...ground.store, destroy } });
    const old = retiredOf(keyring);
    await expect(keyring.destroy("op", old.keyId)).rejects.toThrow("pulled out");
    expect([await opens(keyring, old), changes().at(-1), ground.store.keys.has(old.keyId)]).toEqual([
      false,
      "destroying",
      true,
    ]);
    stuck = false;
    if (when === "the next change") await keyring.generate("op", { state: "next" });
    await expectWhole(ground);
    expect([ground.store.keys.has(old.keyId), changes().includes("destroyed")]).toEqual([false, true]);
  });
});
