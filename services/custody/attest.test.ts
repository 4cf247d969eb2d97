import { generateKeyPairSync, hash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { COMPROMISE_STATEMENT } from "../../custody/compromise-statement.ts";
import type { Generation } from "../../custody/generation.ts";
import { memoryLog } from "../../custody/keyring/test-memory.ts";
import { dsseVerify } from "../../protocol/dsse.ts";
import { p256Signer } from "../../protocol/signature.ts";
import { type AttestParts, attestCompromise } from "./attest.ts";
import { testGeneration } from "./test-keys.ts";

const STORE = { kind: "pkcs11", custodyClass: "hardware", keysInUse: "on-device", where: "pkcs11:token=acme" } as const;

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const compromised = { at: "2026-02-01T00:00:00.000Z", reason: "a copy was found", stored: "allow" } as const;
const old: Generation = { ...testGeneration(), state: "retired", compromised };
const active = testGeneration();
let log: ReturnType<typeof memoryLog>;
let parts: AttestParts;
beforeEach(() => {
  log = memoryLog();
  parts = {
    tenant: "acme",
    store: STORE,
    generations: () => [old, active],
    audit: { append: log.append, head: () => `head ${log.records.length}` },
    sign: p256Signer(privateKey),
    clock: () => new Date("2026-02-01T00:00:01Z"),
  };
});

describe("custody's statement about a compromise", () => {
  it("says what was declared, when, what took its place and where the log stood, and is signed", async () => {
    const dsse = await attestCompromise(parts, old.keyId, "op-anna");
    expect(JSON.parse(dsseVerify(dsse, COMPROMISE_STATEMENT, publicKey).toString())).toEqual({
      schema: "trustkern.compromise/1",
      tenant: "acme",
      store: STORE,
      generation: old,
      active: active.keyId,
      askedBy: "op-anna",
      at: "2026-02-01T00:00:01.000Z",
      auditHead: "head 0",
    });
  });

  it("is on record with its digest and who asked before it is signed", async () => {
    let recorded = -1;
    const sign: AttestParts["sign"] = (data) => {
      recorded = log.records.length;
      return p256Signer(privateKey)(data);
    };
    const dsse = await attestCompromise({ ...parts, sign }, old.keyId, "op-anna");
    expect(recorded).toBe(1);
    const statement = hash("sha256", dsseVerify(dsse, COMPROMISE_STATEMENT, publicKey));
    expect(log.records).toMatchObject([{ kind: "attested", actor: "op-anna", keyId: old.keyId, statement }]);
  });

  it("is not signed where no record can be written", async () => {
    let signed = 0;
    const full = new Error("full");
    const audit = { ...parts.audit, append: () => Promise.reject(full) };
    const sign = async () => new Uint8Array(64).fill(++signed);
    await expect(attestCompromise({ ...parts, audit, sign }, old.keyId, "op-anna")).rejects.toBe(full);
    expect(signed).toBe(0);
  });

  it.each([
    ["nobody has declared compromised", active.keyId, "CUSTODY_GENERATION_STATE"],
    ["it never had", "00".repeat(8), "CUSTODY_GENERATION_UNKNOWN"],
  ])("is refused of a generation that %s", async (_, keyId, code) => {
    await expect(attestCompromise(parts, keyId, "op-anna")).rejects.toMatchObject({ code });
    expect(log.records).toEqual([]);
  });
});
