import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RotationContext } from "./context.ts";
import type { Member } from "./fleet.ts";
import type { Memo, Rotation } from "./machine.ts";
import type { ModelFleet } from "./model-fleet.ts";
import { rotationOf } from "./rotations.ts";
import type { RotationTarget } from "./target.ts";
import { testFleets } from "./test-fleets.ts";

const TARGETS: readonly RotationTarget[] = [
  { kind: "root" },
  { kind: "intermediate", leafClass: "services" },
  { kind: "intermediate", leafClass: "gateways" },
  { kind: "leaf", component: "backend" },
  { kind: "pin" },
  { kind: "token", gateway: "gw-01" },
];
const EVERYBODY = ["broker", "backend", "collector", "gw-01"];

const make = testFleets();
const of = (target: RotationTarget) => (context: RotationContext) => rotationOf(target, context);

async function settled(fleet: ModelFleet): Promise<void> {
  expect(await fleet.loose()).toEqual([]);
}

describe.each(TARGETS)("a rotation of %o", (target) => {
  it("never lets two components refuse each other, whoever reads early or late", async () => {
    const fleet = make();
    fleet.readers = (step) => (step % 3 === 0 ? [EVERYBODY[step % 4] ?? ""] : []);
    await fleet.rotate(of(target));
    expect(fleet.violations).toEqual([]);
    await settled(fleet);
  });

  it.each([1, 4, 11, 19, 27])(
    "is finished by the next run after a death at step %i",
    { timeout: 60_000 },
    async (at) => {
      const fleet = make();
      fleet.readers = (step) => (step % 2 === at % 2 ? [EVERYBODY[(step + at) % 4] ?? ""] : []);
      await fleet.rotateDespite(of(target), at);
      expect(fleet.violations).toEqual([]);
      await settled(fleet);
    },
  );
});

describe("the model sees what a rotation must not do", () => {
  const without =
    (phase: "prove-trust" | "prove-use") =>
    (context: RotationContext): Rotation => {
      const rotation = rotationOf({ kind: "root" }, context);
      const { says, act } = rotation.phases[phase];
      return { ...rotation, phases: { ...rotation.phases, [phase]: { says, ...(act && { act }) } } };
    };

  it.each(["prove-trust", "prove-use"] as const)("without %s", async (phase) => {
    const fleet = make();
    fleet.readers = (step) => (step % 5 === 0 ? ["backend"] : []);
    await fleet.rotate(without(phase));
    expect(fleet.violations).not.toEqual([]);
  });

  it("a pin that is taken out before the broker has left its key", async () => {
    const fleet = make();
    fleet.readers = () => ["backend", "collector", "gw-01"];
    await fleet.rotate((context) => {
      const rotation = rotationOf({ kind: "pin" }, context);
      const { issue } = rotation.phases;
      const act = async (memo: Memo): Promise<Memo> => {
        await issue.act?.(memo);
        context.dropPreviousPin();
        await context.converge();
        return {};
      };
      return { ...rotation, phases: { ...rotation.phases, issue: { ...issue, act } } };
    });
    expect(fleet.violations).not.toEqual([]);
  });
});

describe("what a rotation leaves behind", () => {
  it("another root, under which every leaf is, and no trace of the one before", async () => {
    const fleet = make();
    const before = fleet.open().store.fingerprint("root");
    await fleet.rotate(of({ kind: "root" }));
    const { store } = fleet.open();
    expect(store.fingerprint("root")).not.toBe(before);
    expect([store.read("root.old"), store.read("root.next")]).toEqual([undefined, undefined]);
    expect(fleet.announced?.anchors).toEqual([store.read("root")]);
  });

  it("the leaf of before revoked, once", async () => {
    const fleet = make();
    await fleet.rotate(of({ kind: "leaf", component: "backend" }));
    expect(new Set(fleet.revokedSerials()).size).toBe(1);
    expect(fleet.revokedSerials()).toHaveLength(1);
  });

  it("one good token, whatever was issued and lost on the way", async () => {
    const fleet = make();
    await fleet.rotateDespite(of({ kind: "token", gateway: "gw-01" }), 2);
    expect([...fleet.tokens.values()].filter(({ revoked }) => !revoked)).toHaveLength(1);
    expect(fleet.tokens.size).toBe(2);
  });

  it.each([{ kind: "root" }, { kind: "intermediate", leafClass: "gateways" }] as const)(
    "after one of %o no token of a leaf of before, and every other one",
    async (target) => {
      const fleet = make();
      const token = (): { certificate: string; revoked: boolean; used: boolean } => ({
        certificate: fleet.leafOf("gw-01"),
        revoked: false,
        used: true,
      });
      fleet.tokens.set("before", token());
      const before = fleet.leafOf("gw-01");
      fleet.onPhase = (phase) => {
        if (phase === "prove-use") fleet.tokens.set("after", token());
        if (phase === "remove-old") expect(fleet.tokens.get("before")?.revoked).toBe(false);
      };
      await fleet.rotate(of(target));
      expect(fleet.leafOf("gw-01")).not.toBe(before);
      expect([...fleet.tokens].map(([id, { revoked }]) => [id, revoked])).toEqual([
        ["before", true],
        ["after", false],
      ]);
    },
  );

  it("the token of a gateway whose leaf is as it was", async () => {
    const fleet = make();
    fleet.tokens.set("t1", { certificate: fleet.leafOf("gw-01"), revoked: false, used: true });
    await fleet.rotate(of({ kind: "intermediate", leafClass: "services" }));
    expect(fleet.tokens.get("t1")?.revoked).toBe(false);
  });

  it("the broker on the key whose pin was known before, and another next one", async () => {
    const fleet = make();
    const before = fleet.open().brokerKeys.read();
    await fleet.rotate(of({ kind: "pin" }));
    const after = fleet.open().brokerKeys.read();
    expect(after).toMatchObject({ current: before.next, previous: undefined });
    expect(fleet.announced?.pins).toEqual([after.current, after.next]);
  });
});

describe("a rotation refuses", () => {
  it("to begin while another one is not done", async () => {
    const fleet = make();
    fleet.killAt = 3;
    await expect(fleet.rotate(of({ kind: "root" }))).rejects.toThrow();
    await expect(fleet.rotate(of({ kind: "pin" }))).rejects.toMatchObject({ code: "ROTATION_UNFINISHED" });
  });

  const nothing = { clientAuthorities: "none", certificates: "none", authority: "none", pins: "none" } as const;
  /** A rotation in which the fleet is this one component. */
  const among = (target: RotationTarget, member: Member) => (context: RotationContext) =>
    rotationOf(target, { ...context, fleet: { ...context.fleet, members: async () => [member] } });

  it("to remove the old while somebody does not follow, and names who", async () => {
    const fleet = make();
    const before = fleet.open().store.anchors();
    const silent = { ...nothing, name: "gw-01", anchors: undefined };
    await expect(fleet.rotate(among({ kind: "root" }, silent), 0.05)).rejects.toMatchObject({
      code: "ROTATION_UNPROVEN",
      message: expect.stringContaining("gw-01"),
    });
    expect(fleet.unfinished).toBe("prove-trust");
    expect(fleet.open().store.anchors()).toEqual(expect.arrayContaining([...before]));
  });

  it.each([undefined, ["00".repeat(32)]])("to revoke an authority that is still issued with: %j", async (authority) => {
    const fleet = make();
    const ca = { ...nothing, name: "gateways-ca", anchors: "none" as const, authority };
    const target = { kind: "intermediate", leafClass: "gateways" } as const;
    await expect(fleet.rotate(among(target, ca), 0.05)).rejects.toMatchObject({
      code: "ROTATION_UNPROVEN",
      message: expect.stringContaining("gateways-ca"),
    });
    expect(fleet.unfinished).toBe("prove-use");
    expect(fleet.revokedSerials()).toEqual([]);
  });

  it.each(["", "{", "{}", '{"schema":"trustkern.rotation/1","what":"root","startedAt":"x","phase":"later","memo":{}}'])(
    "a journal that says %j",
    async (text) => {
      const fleet = make();
      writeFileSync(fleet.journalFile, text);
      await expect(fleet.rotate(of({ kind: "root" }))).rejects.toMatchObject({ code: "ROTATION_JOURNAL_CORRUPT" });
    },
  );

  it("to keep a key in its journal", async () => {
    const fleet = make();
    fleet.killAt = 20;
    await expect(fleet.rotate(of({ kind: "root" }))).rejects.toThrow();
    expect(readFileSync(fleet.journalFile, "utf8")).not.toMatch(/PRIVATE|gw_/);
  });
});
