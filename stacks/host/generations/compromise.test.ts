import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMPROMISE_STATEMENT } from "../../../custody/compromise-statement.ts";
import { findGeneration, opensFor } from "../../../custody/generation.ts";
import { dsseSign, dsseVerify } from "../../../protocol/dsse.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { type CompromiseOutcome, compromiseGeneration, type EvidencePlace } from "./compromise.ts";
import { Killed, ModelPlace } from "./model-place.ts";
import { rotateGenerations } from "./rotate.ts";

const custodyKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
const strangerKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
let model: ModelPlace;
let evidence: EvidencePlace;
beforeEach(() => {
  model = new ModelPlace();
  evidence = {
    signer: custodyKey.publicKey,
    folder: join(model.folder, "custody", "evidence"),
    statement: (keyId) => signed(statementOf(keyId)),
  };
});
afterEach(() => model.remove());

const statementOf = (keyId: string) => ({
  schema: "trustkern.compromise/1",
  generation: findGeneration(model.generations, keyId),
  active: model.active().keyId,
});
const signed = (statement: object, key = custodyKey, type = COMPROMISE_STATEMENT): Promise<string> =>
  dsseSign(type, Buffer.from(JSON.stringify(statement)), p256Signer(key.privateKey));
/** One run of a rotation, that looks once. */
const rotate = () =>
  rotateGenerations(model.place, {
    overlapSeconds: 60,
    waitSeconds: 0,
    signal: new AbortController().signal,
    onPhase: () => {},
    onWaiting: () => {},
  });
const compromise = (keyId: string, stored: "allow" | "block" = "allow"): Promise<CompromiseOutcome> =>
  compromiseGeneration(model.place, evidence, { keyId, stored, reason: "a copy was found" });

describe("a compromised generation", () => {
  it("opens nothing live from then on, another one is active and published at once, and the evidence is signed", async () => {
    const old = model.active().keyId;
    model.hear("s1");
    const { active, evidence: file } = await compromise(old);
    const lost = findGeneration(model.generations, old);
    expect([opensFor(lost, "live"), opensFor(lost, "stored")]).toEqual([false, true]);
    expect([active, model.recipients]).toEqual([model.active().keyId, [active]]);
    const said = dsseVerify(readFileSync(file, "utf8"), COMPROMISE_STATEMENT, custodyKey.publicKey);
    expect(JSON.parse(said.toString())).toMatchObject({ generation: { keyId: old }, active });
  });

  it("can be closed to what is stored later, with evidence of its own", async () => {
    const old = model.active().keyId;
    const first = await compromise(old, "allow");
    const second = await compromise(old, "block");
    expect(opensFor(findGeneration(model.generations, old), "stored")).toBe(false);
    expect(second.evidence).not.toBe(first.evidence);
    expect(existsSync(first.evidence)).toBe(true);
    await expect(compromise(old, "allow")).rejects.toMatchObject({ code: "CUSTODY_GENERATION_STATE" });
  });

  it("ends the rotation that is going on to it, and it is told to no sensor any more", async () => {
    const { keyId } = await rotate();
    expect(await compromise(keyId, "block")).toMatchObject({ endedRotationTo: keyId });
    expect(existsSync(model.place.journalFile)).toBe(false);
    expect(model.recipients).toEqual([model.active().keyId]);
  });

  it("ends the rotation away from it, whose next generation stays, is not used, and is taken up by the next rotation", async () => {
    model.hear("s1");
    const { keyId: next } = await rotate();
    model.pass(1);
    model.hear("s1");
    const { active, endedRotationTo } = await compromise(model.active().keyId);
    expect([endedRotationTo, existsSync(model.place.journalFile)]).toEqual([next, false]);
    expect(findGeneration(model.generations, next).state).toBe("next");
    model.hear("s1");
    expect(model.sensors[0]?.key_id).toBe(active);
    await rotate();
    model.pass(1);
    model.hear("s1");
    expect(await rotate()).toMatchObject({ done: true, keyId: next, behind: [] });
    expect([model.active().keyId, model.recipients]).toEqual([next, [next]]);
  });

  it("leaves the rotation alone when it is neither what is rotated to nor active", async () => {
    const retired = model.import("ceremony", "retired");
    await rotate();
    expect(await compromise(retired)).toMatchObject({ endedRotationTo: null });
    expect(existsSync(model.place.journalFile)).toBe(true);
  });

  it("is said to be so already when it is declared again, which ends no rotation and makes no other generation", async () => {
    const old = model.active().keyId;
    expect(await compromise(old)).toMatchObject({ repeated: false });
    await rotate();
    const { length } = model.generations;
    expect(await compromise(old)).toMatchObject({ repeated: true, endedRotationTo: null });
    expect([model.generations.length, existsSync(model.place.journalFile)]).toEqual([length, true]);
  });

  it.each([
    ["is unknown", "zzz", "CUSTODY_GENERATION_UNKNOWN"],
    ["was destroyed", "0000000000000001", "CUSTODY_GENERATION_STATE"],
  ])("is refused before anything is changed when it %s", async (_, keyId, code) => {
    await model.place.custody.compromise("0000000000000001", "block", "lost");
    await model.place.custody.destroy("0000000000000001");
    await rotate();
    const { steps } = model;
    await expect(compromise(keyId)).rejects.toMatchObject({ code, message: expect.stringContaining(keyId) });
    expect([model.steps, existsSync(model.place.journalFile)]).toEqual([steps, true]);
  });

  it.each([
    ["signed by another key", () => signed(statementOf(model.generations[0]?.keyId ?? ""), strangerKey)],
    ["about another generation", () => signed(statementOf(model.active().keyId))],
    ["of another type", () => signed(statementOf(model.generations[0]?.keyId ?? ""), custodyKey, "text/plain")],
    ["that is none", async () => "{}"],
  ])("keeps no statement %s, and is blocked and replaced all the same", async (_, statement) => {
    const old = model.active().keyId;
    evidence = { ...evidence, statement };
    await expect(compromise(old)).rejects.toMatchObject({ code: "KEYS_EVIDENCE_INVALID" });
    expect(existsSync(evidence.folder)).toBe(false);
    expect(model.recipients).not.toContain(old);
  });
});

it("a compromise that dies while it ends a rotation leaves none that waits for ever", async () => {
  for (const killBefore of [true, false]) {
    for (let killAt = 1; killAt < 5; killAt += 1) {
      model.remove();
      model = new ModelPlace();
      evidence = { ...evidence, folder: join(model.folder, "evidence") };
      model.hear("s1");
      await rotate();
      const old = model.active().keyId;
      Object.assign(model, { killAt: model.steps + killAt, killBefore });
      await expect(compromise(old)).rejects.toThrow(Killed);
      model.killAt = Number.POSITIVE_INFINITY;
      await compromise(old);
      await rotate();
      model.pass(1);
      model.hear("s1");
      expect([killBefore, killAt, await rotate()]).toMatchObject([killBefore, killAt, { done: true, behind: [] }]);
    }
  }
});

it.each([
  ["before", true],
  ["after", false],
])(
  "a compromise that dies %s any of its steps is finished by the next run, with one replacement",
  async (_, killBefore) => {
    let died = 0;
    for (let killAt = 1; killAt < 20; killAt += 1) {
      model.remove();
      model = new ModelPlace();
      Object.assign(model, { killAt, killBefore });
      evidence = { ...evidence, folder: join(model.folder, "evidence") };
      const old = model.active().keyId;
      const dead = await compromise(old).then(
        () => false,
        (thrown: unknown) => {
          if (thrown instanceof Killed) return true;
          throw thrown;
        },
      );
      if (!dead) break;
      died += 1;
      const { evidence: file } = await compromise(old);
      expect([killAt, model.generations.length, existsSync(file)]).toEqual([killAt, 2, true]);
      expect(model.recipients).toEqual([model.active().keyId]);
    }
    expect(died).toBe(3);
  },
);
