import { describe, expect, it } from "vitest";
import type { RotationContext } from "./context.ts";
import type { Fleet, Member } from "./fleet.ts";
import type { Phase } from "./journal.ts";
import { Killed, type ModelFleet } from "./model-fleet.ts";
import { rotationOf } from "./rotations.ts";
import { type RotationTarget, renderTarget } from "./target.ts";
import { testFleets } from "./test-fleets.ts";

const ROOT: RotationTarget = { kind: "root" };
const SERVICES: RotationTarget = { kind: "intermediate", leafClass: "services" };
const GATEWAYS: RotationTarget = { kind: "intermediate", leafClass: "gateways" };
const BACKEND: RotationTarget = { kind: "leaf", component: "backend" };
const BROKER: RotationTarget = { kind: "leaf", component: "broker" };
const PIN: RotationTarget = { kind: "pin" };
const TOKEN: RotationTarget = { kind: "token", gateway: "gw-01" };
/** Looks at a fleet in which nothing changes, after which it is plain that a phase waits. */
const LOOKS = 4;

const make = testFleets();

/** How a fleet is in one phase; `look` is called for each question, and dies of too many. */
type Change = (fleet: Fleet, look: () => void) => Partial<Fleet>;

/** A rotation whose fleet is another one for as long as the phase lasts. */
async function rotateWith(fleet: ModelFleet, target: RotationTarget, at: Phase, change: Change): Promise<void> {
  let phase: Phase | undefined;
  let looks = 0;
  fleet.onPhase = (each) => {
    phase = each;
  };
  const look = (): void => {
    looks += 1;
    if (looks >= LOOKS) throw new Killed(`it waits in ${phase}`);
  };
  const during = (context: RotationContext): RotationContext => {
    const changed = change(context.fleet, look);
    const fleetNow = new Proxy(context.fleet, {
      get: (own, name: keyof Fleet) => (phase === at ? (changed[name] ?? own[name]) : own[name]),
    });
    return { ...context, fleet: fleetNow };
  };
  await fleet.rotate((context) => rotationOf(target, during(context)));
}

/** A component that has not followed. */
const behind =
  (name: string, has: Partial<Member>): Change =>
  (fleet, look) => ({
    members: async () => {
      look();
      return (await fleet.members()).map((member) => (member.name === name ? { ...member, ...has } : member));
    },
  });
const STRANGE = ["00".repeat(32)];
const crlsPending: Change = (_, look) => ({
  pendingCrls: async () => {
    look();
    return ["broker"];
  },
});
const tokenUnused: Change = (fleet, look) => ({
  tokens: async (gateway) => {
    look();
    return (await fleet.tokens(gateway)).map((line) => ({ ...line, used: false }));
  },
});

type Case = readonly [what: string, target: RotationTarget, at: Phase, change: Change];
const WAITS: readonly Case[] = [
  ["a client of the broker has not the pin of its next key", ROOT, "prove-trust", behind("gw-01", { pins: STRANGE })],
  ["a client of the broker does not say its pins", ROOT, "prove-trust", behind("collector", { pins: undefined })],
  ["a component shows its old leaf", ROOT, "prove-use", behind("gw-01", { certificates: STRANGE })],
  ["a component keeps the old root", ROOT, "remove-old", behind("gw-01", { anchors: STRANGE })],
  ["the broker has not the new authority's list", SERVICES, "prove-trust", crlsPending],
  ["the broker has not the new authority's list", GATEWAYS, "prove-trust", crlsPending],
  ["a client has not the pin of its next key", SERVICES, "prove-trust", behind("gw-01", { pins: STRANGE })],
  ["who names authorities has not", SERVICES, "prove-trust", behind("backend", { clientAuthorities: STRANGE })],
  ["a component shows its old leaf", SERVICES, "prove-use", behind("backend", { certificates: STRANGE })],
  ["a gateway shows its old leaf", GATEWAYS, "prove-use", behind("gw-01", { certificates: STRANGE })],
  ["the component shows its old leaf", BACKEND, "prove-use", behind("backend", { certificates: STRANGE })],
  ["the component does not say what it shows", BACKEND, "prove-use", behind("backend", { certificates: undefined })],
  ["a client has not the pin of its next key", BROKER, "prove-trust", behind("collector", { pins: STRANGE })],
  ["a client has not the pin of the next key", PIN, "prove-trust", behind("gw-01", { pins: STRANGE })],
  ["the broker shows its old key", PIN, "prove-use", behind("broker", { certificates: STRANGE })],
  ["the broker does not say what it shows", PIN, "prove-use", behind("broker", { certificates: undefined })],
  ["a client has other pins", PIN, "remove-old", behind("gw-01", { pins: STRANGE })],
  ["the gateway has not used the new one", TOKEN, "prove-use", tokenUnused],
];

describe("a rotation waits, and takes nothing back", () => {
  it.each(WAITS.map(([what, target, at, change]) => [renderTarget(target), at, what, target, change] as const))(
    "of %s in %s while %s, and goes on from there",
    async (_, at, _what, target, change) => {
      const fleet = make();
      const old = fleet.open().brokerKeys.read().current ?? "";
      await expect(rotateWith(fleet, target, at, change)).rejects.toThrow(`it waits in ${at}`);
      expect(fleet.unfinished).toBe(at);
      if (at !== "remove-old") {
        expect(fleet.revokedSerials()).toEqual([]);
        expect([...fleet.tokens.values()].filter(({ revoked }) => revoked)).toEqual([]);
        const { current, next, previous } = fleet.open().brokerKeys.read();
        expect([current, next, previous]).toContain(old);
      }
      fleet.onPhase = () => undefined;
      await fleet.rotate((context) => rotationOf(target, context));
      expect(await fleet.loose()).toEqual([]);
      expect(fleet.violations).toEqual([]);
    },
  );
});
