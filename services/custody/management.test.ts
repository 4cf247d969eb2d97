import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, it } from "vitest";
import * as proto from "../../custody/proto/custody_pb.ts";
import { managementHandlers } from "./management.ts";
import { storeAway, type TestKeys, testKeys } from "./test-keys.ts";

let keys: TestKeys;
let manage: ReturnType<typeof managementHandlers>;
beforeEach(async () => {
  keys = testKeys();
  manage = managementHandlers(keys.custodian);
  await keys.custodian.unseal("op-anna");
});
const by = { actor: "op-anna" };
const generate = (init: object) => manage.generate(create(proto.GenerateRequestSchema, init));
const compromise = (init: object) => manage.compromise(create(proto.CompromiseRequestSchema, init));
const activate = (init: object) => manage.activate(create(proto.ActivateRequestSchema, init));
const destroy = (init: object) => manage.destroy(create(proto.DestroyRequestSchema, init));
const attest = (init: object) => manage.attest(create(proto.AttestRequestSchema, init));
const invalid = { code: "CUSTODY_REQUEST_INVALID" };

describe("management", () => {
  it("hands each order to the keyring, with who asks", async () => {
    await generate({ ...by, state: "next", notBefore: "2026-02-01T00:00:00Z" });
    await generate({ ...by, state: "active" });
    await activate({ ...by, keyId: "ab" });
    await destroy({ ...by, keyId: "cd" });
    await compromise({ ...by, keyId: "ef", stored: "block", reason: "lost" });
    await manage.import(create(proto.ImportRequestSchema, { ...by, package: new Uint8Array(9) }));
    expect(keys.asked).toEqual([
      "generate next 2026-02-01T00:00:00.000Z by op-anna",
      "generate active now by op-anna",
      "activate ab by op-anna",
      "destroy cd by op-anna",
      "compromise ef block lost by op-anna",
      "import 9 by op-anna",
    ]);
  });

  it("lists public halves, and shows the key for packages, the log's head and the store", async () => {
    const { keyId, publicKey } = keys.generation;
    const { generations = [] } = await manage.listGenerations(create(proto.ListGenerationsRequestSchema));
    expect(generations).toMatchObject([{ keyId, state: "active", publicKey: Buffer.from(publicKey, "hex") }]);
    expect(await manage.importKey(create(proto.ImportKeyRequestSchema))).toMatchObject({ keyId: "00".repeat(8) });
    expect(await manage.auditHead(create(proto.AuditHeadRequestSchema))).toEqual({
      head: "head",
      signerPublicKey: Uint8Array.of(1),
    });
    expect(await manage.health(create(proto.HealthRequestSchema))).toMatchObject({
      sealed: false,
      store: { kind: "file", custodyClass: "software" },
    });
  });

  it("hands a passphrase to the store, and overwrites it", async () => {
    await manage.seal(create(proto.SealRequestSchema, { ...by, reason: "a visit" }));
    const passphrase = Buffer.from("correct horse");
    await manage.unseal(create(proto.UnsealRequestSchema, { ...by, passphrase }));
    expect(keys.passphrases).toEqual(["", "correct horse"]);
    expect(passphrase).toEqual(Buffer.alloc(passphrase.length));
    expect(JSON.stringify([keys.events, keys.recorded])).not.toContain("correct horse");
  });

  it.each(["the store is away", "nobody is named", "it is unsealed already"])(
    "overwrites a passphrase also where %s",
    async (why) => {
      if (why !== "it is unsealed already") await keys.custodian.seal("op-anna", "a visit");
      if (why === "the store is away") keys.openFails = storeAway("away");
      const passphrase = Buffer.from("correct horse");
      const actor = why === "nobody is named" ? "" : "op-anna";
      await manage.unseal(create(proto.UnsealRequestSchema, { actor, passphrase })).catch(() => undefined);
      expect(passphrase).toEqual(Buffer.alloc(passphrase.length));
    },
  );

  it("gives its word about a generation to who asks by name", async () => {
    expect(await attest({ ...by, keyId: "ab" })).toEqual({ statement: "ab for op-anna" });
  });

  it("seals and unseals, and does nothing else while it is sealed", async () => {
    const sealing = create(proto.SealRequestSchema, { ...by, reason: "a visit" });
    expect(await manage.seal(sealing)).toEqual({ sealed: true, sealedBecause: "ordered" });
    expect(await manage.health(create(proto.HealthRequestSchema))).toMatchObject({ sealed: true });
    const sealed = { code: "CUSTODY_SEALED" };
    await expect(generate({ ...by, state: "next" })).rejects.toMatchObject(sealed);
    await expect(manage.listGenerations(create(proto.ListGenerationsRequestSchema))).rejects.toMatchObject(sealed);
    await expect(manage.auditHead(create(proto.AuditHeadRequestSchema))).rejects.toMatchObject(sealed);
    await expect(attest({ ...by, keyId: "ab" })).rejects.toMatchObject(sealed);
    expect(keys.asked).toEqual([]);
    expect(await manage.unseal(create(proto.UnsealRequestSchema, by))).toMatchObject({ sealed: false });
  });

  it.each([
    ["no person types a passphrase", undefined, undefined],
    ["the passphrase of a store is typed", false, false],
    ["the passphrase makes the store", true, true],
  ])("says while it is sealed whether %s", async (_, isNew, said) => {
    manage = managementHandlers(keys.custodian, () => isNew);
    expect(await manage.health(create(proto.HealthRequestSchema))).not.toHaveProperty("storeIsNew");
    const sealed = await manage.seal(create(proto.SealRequestSchema, { ...by, reason: "a visit" }));
    expect(sealed.storeIsNew).toBe(said);
  });

  it("throws what keeps it from unsealing", async () => {
    await keys.custodian.seal("op-anna", "x");
    keys.openFails = storeAway("away");
    await expect(manage.unseal(create(proto.UnsealRequestSchema, by))).rejects.toBe(keys.openFails);
    expect(await manage.health(create(proto.HealthRequestSchema))).toMatchObject({ sealed: true });
  });

  it.each([
    ["nobody", () => generate({ state: "next" })],
    ["white space", () => activate({ actor: "  ", keyId: "ab" })],
    ["an endless actor", () => destroy({ actor: "x".repeat(201), keyId: "ab" })],
    ["an actor of two lines", () => activate({ actor: "op\nanna", keyId: "ab" })],
    ["another state", () => generate({ ...by, state: "retired" })],
    ["no state", () => generate(by)],
    ["a time that is none", () => generate({ ...by, state: "next", notBefore: "2026-13-01T00:00:00Z" })],
    ["a time without a zone", () => generate({ ...by, state: "next", notBefore: "2026-02-01T00:00:00" })],
    ["no word on what is stored", () => compromise({ ...by, keyId: "ef", reason: "lost" })],
    ["no reason for a compromise", () => compromise({ ...by, keyId: "ef", stored: "allow" })],
    ["no reason for a sealing", () => manage.seal(create(proto.SealRequestSchema, by))],
    ["nobody who wants a statement", () => attest({ keyId: "ab" })],
    ["nobody who unseals", () => manage.unseal(create(proto.UnsealRequestSchema))],
  ])("takes no order from or with %s", async (_, order) => {
    await expect(order()).rejects.toMatchObject(invalid);
    expect(keys.asked).toEqual([]);
    expect(keys.custodian.opened()).not.toBeNull();
  });
});
