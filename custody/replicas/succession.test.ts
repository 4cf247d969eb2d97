import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Generation, HPKE_SUITE, opensFor } from "../generation.ts";
import type { KeyringState } from "../keyring/state.ts";
import { behind, notFrom } from "./succession.ts";

const AT = "2026-01-01T00:00:00.000Z";
const LATER = "2026-02-01T00:00:00.000Z";
const generation = (keyId: string, changes: Partial<Generation>): Generation => ({
  ...{ keyId, publicKey: keyId.repeat(4), suite: HPKE_SUITE, origin: "generated", state: "active" },
  ...{ createdAt: AT, notBefore: AT },
  ...changes,
});
const lost = { at: AT, reason: "lost", stored: "block" } as const;
const OLD = [
  generation("00".repeat(8), { state: "destroyed", activatedAt: AT, retiredAt: AT, destroyedAt: AT }),
  generation("11".repeat(8), { state: "retired", activatedAt: AT, retiredAt: AT, compromised: lost }),
  generation("22".repeat(8), { state: "retired", retiredAt: AT, compromised: { ...lost, stored: "allow" } }),
  generation("33".repeat(8), { state: "active", activatedAt: AT }),
  generation("44".repeat(8), { state: "next" }),
];
const stateOf = (generations: readonly Generation[]): KeyringState => {
  const importKey = { keyId: "ff".repeat(8), publicKey: "ee".repeat(32) };
  return { version: 9, tenant: "acme", importKey, generations };
};
const changed = (index: number, changes: Partial<Generation>) =>
  stateOf(OLD.map((old, at) => (at === index ? { ...old, ...changes } : old)));

describe("a statement is behind what is known", () => {
  const known = { version: 5, writer: { record: 20, records: 100 } };
  it.each([
    ["a lower version", { version: 4, record: 20, records: 100 }],
    ["a shorter log", { version: 5, record: 20, records: 99 }],
    ["an earlier change", { version: 5, record: 19, records: 100 }],
    ["a lower version in a longer log", { version: 4, record: 30, records: 200 }],
  ])("with %s", (_, statement) => expect(behind(statement, known)).not.toBeNull());

  it("and not with the same, nor with more of anything", () => {
    expect(behind({ version: 5, record: 20, records: 100 }, known)).toBeNull();
    expect(behind({ version: 6, record: 21, records: 101 }, known)).toBeNull();
    expect(behind({ version: 1, record: 1, records: 1 }, { version: 0, writer: null })).toBeNull();
  });
});

describe("a state cannot have come out of the known one", () => {
  it.each<[string, KeyringState]>([
    ["where a destroyed generation is back", changed(0, { state: "retired" })],
    ["where a destroyed generation is active", changed(0, { state: "active" })],
    ["where a retired generation is active again", changed(2, { state: "active" })],
    ["where an active generation is next again", changed(3, { state: "next" })],
    ["where a compromise is taken back", changed(1, { compromised: undefined })],
    ["where what was blocked is allowed", changed(1, { compromised: { ...lost, stored: "allow" } })],
    ["where a compromise was declared at another time", changed(1, { compromised: { ...lost, at: LATER } })],
    ["where a public key is another", changed(3, { publicKey: "55".repeat(32) })],
    ["where a generation came from elsewhere", changed(3, { origin: "ceremony" })],
    ["where it was activated at another time", changed(3, { activatedAt: LATER })],
    ["where it was destroyed at another time", changed(0, { destroyedAt: LATER })],
    ["where sensors use it from another time on", changed(4, { notBefore: LATER })],
    ["that lacks the last generation", stateOf(OLD.slice(0, -1))],
    ["that lacks the first generation", stateOf(OLD.slice(1))],
    ["that has them in another order", stateOf([...OLD].reverse())],
    ["with another import key", { ...stateOf(OLD), importKey: { keyId: "dd".repeat(8), publicKey: "dd".repeat(32) } }],
  ])("%s", (_, after) => expect(notFrom(stateOf(OLD), after)).not.toBeNull());

  it.each<[string, KeyringState]>([
    ["the same", stateOf(OLD)],
    ["one more", stateOf([...OLD, generation("55".repeat(8), { state: "next" })])],
    ["a step on", changed(4, { state: "active", activatedAt: LATER })],
    ["two steps on", changed(4, { state: "retired", activatedAt: LATER, retiredAt: LATER })],
    ["a compromise", changed(3, { state: "retired", retiredAt: LATER, compromised: { ...lost, at: LATER } })],
    ["a block after allowing", changed(2, { compromised: { ...lost, reason: "really" } })],
  ])("but %s can", (_, after) => expect(notFrom(stateOf(OLD), after)).toBeNull());

  it("whenever anything would open that opened nothing before", () => {
    const states = fc.constantFrom<Generation["state"]>("next", "active", "retired", "destroyed");
    const compromised = fc.option(
      fc.constantFrom("allow" as const, "block" as const).map((stored) => ({ ...lost, stored })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.nat(OLD.length - 1), states, compromised, (index, state, how) => {
        const after = changed(index, { state, compromised: how });
        const [old, now] = [OLD[index], after.generations[index]];
        if (old === undefined || now === undefined) return;
        const wider = (["live", "stored"] as const).some((use) => opensFor(now, use) && !opensFor(old, use));
        if (wider) expect(notFrom(stateOf(OLD), after)).not.toBeNull();
      }),
      { numRuns: 400 },
    );
  });
});
