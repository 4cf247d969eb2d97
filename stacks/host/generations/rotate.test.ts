import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { opensFor } from "../../../custody/generation.ts";
import { Killed, ModelPlace } from "./model-place.ts";
import { type KeyRotationOutcome, rotateGenerations } from "./rotate.ts";

const DAY_SECONDS = 86_400;
let model: ModelPlace;
beforeEach(() => {
  model = new ModelPlace();
});
afterEach(() => model.remove());

/** One run of the command, that looks once. */
const rotate = (changes: object = {}): Promise<KeyRotationOutcome> =>
  rotateGenerations(model.place, {
    overlapSeconds: 7 * DAY_SECONDS,
    waitSeconds: 0,
    pollMs: 1,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onWaiting: () => undefined,
    ...changes,
  });
const states = (): readonly string[] => model.generations.map(({ state }) => state);
const ids = (sensors: readonly { readonly sensor_id: string }[]) => sensors.map(({ sensor_id }) => sensor_id);

describe("a rotation of generations", () => {
  it("makes the next one, publishes it, and activates it once the overlap is over and everybody who is heard uses it", async () => {
    const old = model.active().keyId;
    model.hear("s1");
    expect(await rotate()).toMatchObject({ done: false, overlapIsOver: false, behind: [{ sensor_id: "s1" }] });
    expect(model.recipients).toEqual([old, model.generations[1]?.keyId]);
    model.pass(7);
    model.hear("s1");
    expect(await rotate()).toMatchObject({ done: true, following: [{ sensor_id: "s1" }], behind: [] });
    expect(states()).toEqual(["retired", "active"]);
    expect(model.recipients).toEqual([model.active().keyId]);
    expect(existsSync(model.place.journalFile)).toBe(false);
  });

  it("lets others in between two looks, and ends where one of them has ended it", async () => {
    model.hear("s1");
    let rests = 0;
    const rest = async (): Promise<void> => {
      rests += 1;
      if (rests === 3) rmSync(model.place.journalFile);
    };
    await expect(rotate({ waitSeconds: 60, rest })).rejects.toMatchObject({ code: "KEYS_ROTATION_ENDED", exit: 5 });
    expect([rests, states()]).toEqual([3, ["active", "next"]]);
  });

  it("waits out the overlap, though everybody uses it at once", async () => {
    await rotate();
    model.hear("s1");
    model.pass(6.9);
    expect(await rotate()).toMatchObject({ done: false, behind: [] });
    expect(states()).toEqual(["active", "next"]);
  });

  it("does not activate while a gateway holds updates back, names sensor and gateway, and the old one still opens", async () => {
    model.hear("s1", "gw-01");
    model.hear("s2", "gw-evil");
    model.holdingBack = ["gw-evil"];
    await rotate();
    const old = model.active();
    for (let day = 1; day <= 30; day += 1) {
      model.pass(1);
      model.hear("s1", "gw-01");
      model.hear("s2", "gw-evil");
      const { done, behind, following } = await rotate();
      expect([done, ids(behind), ids(following)]).toEqual([false, ["s2"], ["s1"]]);
      expect(behind[0]).toMatchObject({ gateway: "gw-evil", key_id: old.keyId, last_seen: model.at() });
    }
    expect(opensFor(model.active(), "live")).toBe(true);
    model.holdingBack = [];
    model.hear("s2", "gw-evil");
    expect(await rotate()).toMatchObject({ done: true });
    expect(opensFor(model.generations[0] ?? old, "live")).toBe(true);
  });

  it("does not wait for sensors that have said nothing for as long as the overlap, and names them", async () => {
    model.hear("asleep");
    model.sensors = [...model.sensors, { sensor_id: "new", key_id: null, gateway: null, last_seen: null }];
    await rotate();
    model.pass(8);
    model.hear("s1");
    const { done, silent } = await rotate();
    expect([done, ids(silent)]).toEqual([true, ["asleep", "new"]]);
    expect(states()).toEqual(["retired", "active"]);
  });

  it("leaves who sends to a published fixture's key out of it", async () => {
    const fixture = model.import("fixture", "retired");
    await rotate();
    model.pass(7);
    model.sensors = [{ sensor_id: "vectors", key_id: fixture, gateway: "gw-01", last_seen: model.at() }];
    expect(await rotate()).toMatchObject({ done: true, behind: [], silent: [] });
  });

  it("takes the generation of a ceremony that is next, and makes none", async () => {
    const imported = model.import("ceremony", "next");
    await rotate();
    model.pass(7);
    expect(await rotate()).toMatchObject({ done: true, keyId: imported });
    expect(model.generations).toHaveLength(2);
  });

  it("begins anew when the generation that it was about is compromised or gone", async () => {
    for (const end of ["compromise", "destroy"] as const) {
      const { keyId } = await rotate();
      if (end === "destroy") await model.place.custody.destroy(keyId);
      else await model.place.custody.compromise(keyId, "block", "lost");
      model.pass(7);
      const again = await rotate();
      expect(again).toMatchObject({ done: false, overlapIsOver: false });
      expect(again.keyId).not.toBe(keyId);
      expect(model.recipients).not.toContain(keyId);
    }
  });

  it("that goes on has sensors use its generation again where they were given another one since", async () => {
    model.hear("s1");
    const { keyId } = await rotate();
    model.pass(1);
    await model.place.custody.compromise(model.active().keyId, "allow", "lost");
    await model.place.publish();
    model.pass(7);
    model.hear("s1");
    expect(model.sensors[0]?.key_id).toBe(model.active().keyId);
    expect(await rotate()).toMatchObject({ done: false, keyId, behind: [{ sensor_id: "s1" }] });
    model.hear("s1");
    expect(await rotate()).toMatchObject({ done: true, keyId });
  });

  it("keeps the overlap that it was asked for, until another one is asked for", async () => {
    const asked = { overlapSeconds: undefined };
    await rotate({ overlapSeconds: DAY_SECONDS });
    const at = (days: number): string => new Date(model.now + days * DAY_SECONDS * 1000).toISOString();
    expect((await rotate(asked)).overlapEndsAt).toBe(at(1));
    expect((await rotate({ overlapSeconds: 2 * DAY_SECONDS })).overlapEndsAt).toBe(at(2));
    expect((await rotate(asked)).overlapEndsAt).toBe(at(2));
    model.pass(2);
    expect(await rotate(asked)).toMatchObject({ done: true });
    expect((await rotate(asked)).overlapEndsAt).toBe(at(7));
  });

  it("stops waiting when it is interrupted, and goes on later", async () => {
    const stopping = new AbortController();
    const onWaiting = () => stopping.abort();
    await expect(rotate({ waitSeconds: 60, signal: stopping.signal, onWaiting })).rejects.toMatchObject({
      code: "DEPLOY_CANCELLED",
    });
    model.pass(7);
    expect(await rotate()).toMatchObject({ done: true });
  });

  it("says so again, and begins no other one, when it died between saying that it was done and the end", async () => {
    const told: string[] = [];
    const onDone = ({ keyId }: KeyRotationOutcome) => told.push(keyId);
    await rotate({ onDone });
    model.pass(7);
    model.killBefore = true;
    const dying = (outcome: KeyRotationOutcome) => {
      onDone(outcome);
      model.killAt = model.steps + 1;
    };
    await expect(rotate({ onDone: dying })).rejects.toThrow(Killed);
    expect(await rotate({ onDone })).toMatchObject({ done: true });
    expect([told, states()]).toEqual([
      [model.active().keyId, model.active().keyId],
      ["retired", "active"],
    ]);
    expect(existsSync(model.place.journalFile)).toBe(false);
  });

  it.each(["", "{", '{"schema":"trustkern.key-rotation/2"}'])("refuses a journal that is none: %j", async (text) => {
    mkdirSync(dirname(model.place.journalFile), { recursive: true });
    writeFileSync(model.place.journalFile, text);
    await expect(rotate()).rejects.toMatchObject({ code: "KEYS_JOURNAL_CORRUPT" });
    expect(states()).toEqual(["active"]);
  });
});

it.each([
  ["before", true],
  ["after", false],
])(
  "is finished by the next run when one dies %s any of its steps, and what sensors send is opened all the time",
  async (_, killBefore) => {
    const MOST = 50;
    let died = 0;
    for (let killAt = 1; killAt < MOST; killAt += 1) {
      model.remove();
      model = new ModelPlace();
      model.hear("s1");
      model.killAt = killAt;
      model.killBefore = killBefore;
      const told: KeyRotationOutcome[] = [];
      let deaths = 0;
      for (let run = 0; told.length === 0; run += 1) {
        if (run === 10) throw new RangeError(`killed at ${killAt}, nobody ever hears that it is finished`);
        await rotate({ onDone: (outcome: KeyRotationOutcome) => told.push(outcome) }).catch((thrown: unknown) => {
          if (!(thrown instanceof Killed)) throw thrown;
          deaths += 1;
        });
        expect(opensFor(model.active(), "live")).toBe(true);
        const known = new Set(model.sensors.map(({ key_id }) => key_id));
        expect(model.generations.filter(({ keyId }) => known.has(keyId)).every((each) => opensFor(each, "live"))).toBe(
          true,
        );
        model.pass(4);
        model.hear("s1");
      }
      expect([killAt, ...states()]).toEqual([killAt, "retired", "active"]);
      expect(model.recipients).toEqual([model.active().keyId]);
      expect(told).toMatchObject([{ done: true, keyId: model.active().keyId }]);
      died += deaths;
      if (deaths === 0) break;
    }
    expect(died).toBeGreaterThan(6);
  },
);
