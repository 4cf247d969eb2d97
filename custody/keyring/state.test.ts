import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyIdOf } from "../../protocol/hpke.ts";
import type { StoredKey } from "../backends/key-store.ts";
import { type Generation, type GenerationState, HPKE_SUITE } from "../generation.ts";
import { applyStatement, digestOf, type KeyringState, NO_STATE, parseState, renderState } from "./state.ts";

const AT = "2026-01-01T00:00:00.000Z";

function newKey(): StoredKey {
  const raw = generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" });
  return { keyId: keyIdOf(raw).toString("hex"), publicKey: raw.toString("hex") };
}

function generation(state: GenerationState, more: Partial<Generation> = {}): Generation {
  return { ...newKey(), suite: HPKE_SUITE, origin: "generated", state, createdAt: AT, notBefore: AT, ...more };
}

const STATE: KeyringState = {
  version: 3,
  tenant: "acme",
  importKey: newKey(),
  generations: [
    generation("retired", { retiredAt: AT, compromised: { at: AT, reason: "seen", stored: "allow" } }),
    generation("active", { activatedAt: AT }),
    generation("next"),
  ],
};
const [retired, active, next] = STATE.generations as [Generation, Generation, Generation];
const INVALID = expect.objectContaining({ code: "CUSTODY_CHANGE_INVALID" });

describe("the text of a state", () => {
  it("is read as it was written, and equal states have equal texts", () => {
    expect(parseState(renderState(STATE))).toEqual(STATE);
    const { generations, importKey, tenant, version } = STATE;
    expect(renderState({ generations, importKey, tenant, version })).toBe(renderState(STATE));
  });

  it.each([
    ["no generation", { generations: [] }],
    ["none active", { generations: [retired, next] }],
    ["two active", { generations: [active, generation("active")] }],
    ["a generation twice", { generations: [active, next, next] }],
    ["the import key as a generation", { generations: [active, { ...next, ...STATE.importKey }] }],
    ["a key under another id", { generations: [active, { ...next, keyId: retired.keyId }] }],
    ["an import key under another id", { importKey: { ...STATE.importKey, keyId: retired.keyId } }],
    ["a key id in capitals", { generations: [active, { ...next, keyId: next.keyId.toUpperCase().padStart(16, "A") }] }],
    ["another suite", { generations: [{ ...active, suite: "X-Wing" as never }] }],
    ["a private key", { generations: [{ ...active, privateKey: "00" } as Generation] }],
    [
      "a compromise without a reason",
      { generations: [active, { ...next, compromised: { at: AT, reason: "", stored: "block" as const } }] },
    ],
    ["a time of no calendar", { generations: [{ ...active, notBefore: "2026-02-30T00:00:00Z" }] }],
    ["version 0", { version: 0 }],
    ["no tenant", { tenant: "" }],
  ])("is never written with %s", (_, members) => {
    expect(() => renderState({ ...STATE, ...members })).toThrow(INVALID);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["null", "null"],
    ["another schema", renderState(STATE).replace("generations/1", "generations/2")],
    ["a member more", renderState(STATE).replace('"version"', '"extra": 1, "version"')],
  ])("is not read from %s", (_, text) => {
    expect(parseState(text)).toEqual({ defect: expect.any(String) });
  });
});

describe("a statement", () => {
  it("leads from one state to the next, and from none to the first", () => {
    const retiring = { ...active, state: "retired" as const, retiredAt: AT };
    const fresh = generation("active");
    const changed = { ...STATE, version: 4, generations: [retiring, fresh] };
    expect(applyStatement(STATE, changed).generations).toEqual([retired, retiring, next, fresh]);
    expect(applyStatement(null, { ...STATE, version: 1 })).toEqual({ ...STATE, version: 1 });
  });
});

describe("digestOf", () => {
  it("tells no state from an empty one", () => {
    expect([digestOf(null), digestOf("")]).toEqual([NO_STATE, expect.stringMatching(/^e3b0c442/)]);
  });
});
