import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { COMPROMISE_STATEMENT } from "../../custody/compromise-statement.ts";
import type { Generation } from "../../custody/generation.ts";
import { dsseVerify } from "../../protocol/dsse.ts";
import { p256Signer } from "../../protocol/signature.ts";
import { attestCompromise } from "./attest.ts";
import { testGeneration } from "./test-keys.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const compromised = { at: "2026-02-01T00:00:00.000Z", reason: "a copy was found", stored: "allow" } as const;
const old: Generation = { ...testGeneration(), state: "retired", compromised };
const active = testGeneration();
const parts = {
  tenant: "acme",
  generations: () => [old, active],
  head: () => "head",
  sign: p256Signer(privateKey),
  clock: () => new Date("2026-02-01T00:00:01Z"),
};

describe("custody's statement about a compromise", () => {
  it("says what was declared, when, what took its place and where the log stood, and is signed", async () => {
    const dsse = await attestCompromise(parts, old.keyId, "op-anna");
    expect(JSON.parse(dsseVerify(dsse, COMPROMISE_STATEMENT, publicKey).toString())).toEqual({
      schema: "trustkern.compromise/1",
      tenant: "acme",
      generation: old,
      active: active.keyId,
      askedBy: "op-anna",
      at: "2026-02-01T00:00:01.000Z",
      auditHead: "head",
    });
  });

  it.each([
    ["nobody has declared compromised", active.keyId, "CUSTODY_GENERATION_STATE"],
    ["it never had", "00".repeat(8), "CUSTODY_GENERATION_UNKNOWN"],
  ])("is refused of a generation that %s", async (_, keyId, code) => {
    await expect(attestCompromise(parts, keyId, "op-anna")).rejects.toMatchObject({ code });
  });
});
