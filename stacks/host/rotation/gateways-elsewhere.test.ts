import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RotationContext } from "./context.ts";
import type { Member } from "./fleet.ts";
import { gatewaysOnRecord, UNLISTED, unlisted } from "./gateways-elsewhere.ts";
import type { Phase } from "./journal.ts";
import { ModelFleet } from "./model-fleet.ts";
import { RemoteGateway } from "./model-remote.ts";
import { rotationOf } from "./rotations.ts";
import type { RotationTarget } from "./target.ts";

const ROOT = { kind: "root" } as const;
const GATEWAYS = { kind: "intermediate", leafClass: "gateways" } as const;
const SERVICES = { kind: "intermediate", leafClass: "services" } as const;
const PIN = { kind: "pin" } as const;

let first: ModelFleet;
let fleet: ModelFleet;
let remote: RemoteGateway;
beforeAll(async () => {
  first = await ModelFleet.make();
});
afterAll(() => first.remove());
afterEach(() => fleet.remove());

/** Rotates a fleet with one gateway elsewhere. */
function rotate(target: RotationTarget, limitSeconds = 60) {
  fleet.onPhase = (phase) => remote.enter(phase);
  return fleet.rotate((context: RotationContext) => rotationOf(target, remote.with(context)), limitSeconds);
}
function make(follows: (phase: Phase) => boolean = () => true): void {
  fleet = ModelFleet.copyOf(first);
  remote = new RemoteGateway(fleet, follows);
}
const unproven = { code: "ROTATION_UNPROVEN", message: expect.stringContaining("gw-77") };

describe.each([ROOT, GATEWAYS, SERVICES, PIN] as const)("a rotation of %o", (target) => {
  it("takes a gateway elsewhere along, however late it asks, and never cuts it off", async () => {
    make();
    remote.asksEvery = 7;
    await rotate(target);
    expect(remote.cutOff).toEqual([]);
    expect(remote.looks).toBeGreaterThan(target.kind === "root" ? 15 : 0);
    expect([...fleet.violations, ...(await fleet.loose())]).toEqual([]);
    expect(remote.member()).toMatchObject({ elsewhere: { authority: fleet.open().store.fingerprint("gateways") } });
  });

  it("does not wait for one that is revoked, or whose certificates have all expired", async () => {
    make(() => false);
    remote.gone = true;
    await rotate(target, 5);
    expect(await fleet.loose()).toEqual([]);
  });
});

describe("a gateway elsewhere that never comes", () => {
  it.each<[RotationTarget, Phase]>([
    [ROOT, "prove-trust"],
    [GATEWAYS, "prove-use"],
  ])("keeps a rotation of %o in %s, and nothing old is removed or revoked", async (target, phase) => {
    make(() => false);
    const { store } = fleet.open();
    const anchors = store.anchors();
    await expect(rotate(target, 0.1)).rejects.toMatchObject(unproven);
    expect(fleet.unfinished).toBe(phase);
    expect(fleet.open().store.anchors()).toEqual(expect.arrayContaining([...anchors]));
    expect(fleet.revokedSerials()).toEqual([]);
    expect(remote.cutOff).toEqual([]);
  });

  it.each([ROOT, GATEWAYS])(
    "that trusts the new and does not renew keeps a rotation of %o in prove-use",
    async (target) => {
      make((phase) => phase !== "prove-use");
      await expect(rotate(target, 0.1)).rejects.toMatchObject(unproven);
      expect(fleet.unfinished).toBe("prove-use");
      expect(fleet.open().store.anchors()).toHaveLength(target.kind === "root" ? 2 : 1);
      expect(fleet.revokedSerials()).toEqual([]);
      expect(remote.cutOff).toEqual([]);
    },
  );

  it("is waited for no more once it is revoked, and the rotation goes on", async () => {
    make(() => false);
    await expect(rotate(GATEWAYS, 0.1)).rejects.toMatchObject(unproven);
    remote.gone = true;
    await rotate(GATEWAYS);
    expect(fleet.revokedSerials()).toHaveLength(1);
    expect(await fleet.loose()).toEqual([]);
  });

  it("is taken along by a later run once it is back", async () => {
    let away = true;
    make(() => !away);
    await expect(rotate(ROOT, 0.1)).rejects.toMatchObject(unproven);
    away = false;
    await rotate(ROOT);
    expect(remote.cutOff).toEqual([]);
    expect(await fleet.loose()).toEqual([]);
  });

  it("is not what a broker's leaf is changed over, before it has the next pin", async () => {
    make(() => false);
    remote.forgetsNextPin();
    const before = fleet.open().brokerKeys.read().current;
    await expect(rotate({ kind: "leaf", component: "broker" }, 0.1)).rejects.toMatchObject(unproven);
    expect(fleet.open().brokerKeys.read().current).toBe(before);
  });
});

describe("the order to renew", () => {
  it.each([ROOT, GATEWAYS])(
    "of a rotation of %o comes once everybody here is done, and before it is over",
    async (target) => {
      make();
      await rotate(target);
      const wanted = fleet.open().store.fingerprint("gateways");
      expect(new Set(remote.ordered.map(({ phase }) => phase))).toEqual(new Set(["prove-use"]));
      expect(remote.ordered.map(({ authorities }) => authorities)).toEqual([[wanted]]);
      expect(remote.ordered[0]?.pendingHere).toEqual([]);
    },
  );

  it("comes also where no gateway is elsewhere now: who enrols later must not be told to leave the new authority", async () => {
    make();
    remote.gone = true;
    await rotate(GATEWAYS);
    expect(remote.ordered.map(({ authorities }) => authorities)).toEqual([
      [fleet.open().store.fingerprint("gateways")],
    ]);
  });

  it("is not given while the online authority issues with another certificate", async () => {
    make();
    const ca: Member = {
      ...unlisted(),
      name: "gateways-ca",
      anchors: "none",
      pins: "none",
      authority: ["00".repeat(32)],
    };
    const { elsewhere: _, ...here } = ca;
    remote.others = [here];
    await expect(rotate(GATEWAYS, 0.1)).rejects.toMatchObject({ message: expect.stringContaining("gateways-ca") });
    expect(remote.ordered).toEqual([]);
  });

  it.each([SERVICES, PIN, { kind: "leaf", component: "backend" } as const])("is no part of %o", async (target) => {
    make();
    await rotate(target);
    expect(remote.ordered).toEqual([]);
  });
});

describe("the backend's list", () => {
  const AUTHORITY = "0a".repeat(32);
  const trust = { anchors: ["0b".repeat(32)], broker_pins: ["0c".repeat(32)] };
  const line = { name: "gw-77", state: "active", valid_until: "2027-01-01T00:00:00Z" };
  const read = (changes: object) =>
    gatewaysOnRecord(async () => [{ ...line, shown: { authority_sha256: AUTHORITY }, trust, ...changes }], []);

  it("gives what a gateway said and showed last", async () => {
    expect(await read({})).toMatchObject([
      { name: "gw-77", anchors: trust.anchors, pins: trust.broker_pins, elsewhere: { authority: AUTHORITY } },
    ]);
  });

  it.each([
    ["is revoked", { state: "revoked" }],
    ["has no certificate that holds", { valid_until: null }],
  ])("counts no gateway that %s", async (_, changes) => {
    expect(await read(changes)).toEqual([]);
  });

  it.each([
    [
      "never came",
      { shown: null, trust: null },
      { anchors: undefined, pins: undefined, elsewhere: { authority: undefined } },
    ],
    ["sent no authority with its leaf", { shown: { authority_sha256: null } }, { elsewhere: { authority: undefined } }],
    ["looks at the broker's name alone", { trust: { ...trust, broker_pins: [] } }, { pins: "none" }],
  ])("says of a gateway that %s only what is known", async (_, changes, wanted) => {
    expect(await read(changes)).toMatchObject([wanted]);
  });

  it("that nobody can read proves nothing of anybody", async () => {
    make();
    remote.gone = true;
    remote.others = [unlisted()];
    for (const target of [ROOT, GATEWAYS, PIN]) {
      await expect(rotate(target, 0.1)).rejects.toMatchObject({
        code: "ROTATION_UNPROVEN",
        message: expect.stringContaining(UNLISTED),
      });
      fleet.remove();
      make();
      remote.gone = true;
      remote.others = [unlisted()];
    }
  });
});
