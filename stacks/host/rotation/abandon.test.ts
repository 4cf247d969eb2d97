import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Phase } from "./journal.ts";
import { Killed, ModelFleet } from "./model-fleet.ts";
import { rotationOf } from "./rotations.ts";
import type { RotationTarget } from "./target.ts";

const AUTHORITIES: readonly RotationTarget[] = [
  { kind: "root" },
  { kind: "intermediate", leafClass: "services" },
  { kind: "intermediate", leafClass: "gateways" },
];
const OTHERS: readonly RotationTarget[] = [{ kind: "leaf", component: "backend" }, { kind: "pin" }];
const TOKEN: RotationTarget = { kind: "token", gateway: "gw-01" };
const EVERYBODY = ["broker", "backend", "collector", "gw-01"];

const fleets: ModelFleet[] = [];
let first: ModelFleet;
let onMedium: ModelFleet;
beforeAll(async () => {
  first = await ModelFleet.make();
  onMedium = await ModelFleet.make({ root: { kind: "age" }, issuing: { kind: "file" } });
});
afterAll(() => {
  first.remove();
  onMedium.remove();
});
afterEach(() => {
  for (const fleet of fleets.splice(0)) fleet.remove();
});
const copyOf = (other: ModelFleet): ModelFleet => {
  const fleet = ModelFleet.copyOf(other);
  fleets.push(fleet);
  return fleet;
};
const rotate = (fleet: ModelFleet, target: RotationTarget) => fleet.rotate((context) => rotationOf(target, context));

/** A rotation that died as this phase began. */
async function diedAt(phase: Phase, target: RotationTarget, from = first): Promise<ModelFleet> {
  const fleet = copyOf(from);
  fleet.onPhase = (each) => {
    if (each === phase) throw new Killed(each);
  };
  await expect(rotate(fleet, target)).rejects.toThrow(Killed);
  fleet.onPhase = () => undefined;
  return fleet;
}

const namesOf = (fleet: ModelFleet): readonly string[] =>
  ["root", "services", "gateways", "operators"].map((name) => fleet.open().store.fingerprint(name));

/** What is left of something that was given up. */
async function leftovers(fleet: ModelFleet): Promise<readonly string[]> {
  const files = readdirSync(fleet.authoritiesDir).filter((file) => /\.(?:next|old)\./.test(file));
  const left = files.filter((file) => file !== "broker.next.key");
  return [...fleet.violations, ...(await fleet.loose()), ...left];
}

describe.each([...AUTHORITIES, ...OTHERS])("a rotation of %o that is given up", (target) => {
  it.each(["add-new", "prove-trust", "issue"] as const)("as %s begins leaves everything as it was", async (phase) => {
    const before = namesOf(first);
    const fleet = await diedAt(phase, target);
    await fleet.abandon(target);
    expect(namesOf(fleet)).toEqual(before);
    expect(await leftovers(fleet)).toEqual([]);
    await rotate(fleet, target);
    expect(await leftovers(fleet)).toEqual([]);
  });

  it.each(["prove-use", "remove-old"] as const)("is refused once the new is in use, as %s begins", async (phase) => {
    const fleet = await diedAt(phase, target);
    await expect(fleet.abandon(target)).rejects.toMatchObject({ code: "ROTATION_IN_USE" });
    expect(fleet.unfinished).toBe(phase);
    await rotate(fleet, target);
    expect(await leftovers(fleet)).toEqual([]);
  });
});

describe.each(AUTHORITIES)("giving up a rotation of %o", (target) => {
  it("may die at every step, whoever reads early or late, and then only goes back", { timeout: 120_000 }, async () => {
    for (let killAt = 1; killAt < 60; killAt += 1) {
      const fleet = await diedAt("issue", target);
      fleet.readers = (step) => (step % 2 === killAt % 2 ? [EVERYBODY[(step + killAt) % 4] ?? ""] : []);
      fleet.killAt = killAt;
      const died = await fleet.abandon(target).then(
        () => false,
        (thrown: unknown) => thrown instanceof Killed,
      );
      fleet.killAt = Number.POSITIVE_INFINITY;
      if (died && fleet.unfinished !== undefined) {
        await expect(rotate(fleet, target)).rejects.toMatchObject({ code: "ROTATION_UNFINISHED" });
        await fleet.abandon(target);
      }
      expect([killAt, ...(await leftovers(fleet)), ...namesOf(fleet)]).toEqual([killAt, ...namesOf(first)]);
      if (!died) return expect(killAt).toBeGreaterThan(3);
    }
    throw new RangeError("giving up has more than 60 steps");
  });

  it("is possible after a death at any step before the new is in its place, and refused after it", async () => {
    let refused = 0;
    for (let killAt = 1; killAt < 60; killAt += 4) {
      const fleet = copyOf(first);
      fleet.killAt = killAt;
      const died = await rotate(fleet, target).then(
        () => false,
        () => true,
      );
      fleet.killAt = Number.POSITIVE_INFINITY;
      if (!died || fleet.unfinished === undefined) break;
      const abandoned = await fleet.abandon(target).then(
        () => true,
        (thrown: { code?: string }) => thrown.code !== "ROTATION_IN_USE",
      );
      if (!abandoned) {
        refused += 1;
        await rotate(fleet, target);
      }
      expect([killAt, ...(await leftovers(fleet))]).toEqual([killAt]);
    }
    expect(refused).toBeGreaterThan(0);
  });
});

describe("what was issued and is given up", () => {
  it("is revoked: an issuing authority by the root's list, a root in the ledger alone", async () => {
    const services: RotationTarget = { kind: "intermediate", leafClass: "services" };
    const fleet = await diedAt("prove-trust", services);
    const before = fleet.revokedSerials().length;
    await fleet.abandon(services);
    const [serial] = fleet.revokedSerials().slice(before);
    expect(serial).toMatch(/^[0-9a-f]+$/);
    expect(fleet.listedByRoot()).toContain(serial);

    const other = await diedAt("prove-trust", { kind: "root" });
    await other.abandon({ kind: "root" });
    const [rootSerial] = other.revokedSerials().slice(before);
    expect(rootSerial).toMatch(/^[0-9a-f]+$/);
    expect(other.listedByRoot()).not.toContain(rootSerial);
  });

  it("a token stays beside the others, so there is nothing to go back to", async () => {
    const fleet = await diedAt("prove-use", TOKEN);
    await expect(fleet.abandon(TOKEN)).rejects.toMatchObject({ code: "ROTATION_IN_USE" });
  });

  it("nothing is given up where nothing has begun", async () => {
    await expect(copyOf(first).abandon({ kind: "root" })).rejects.toMatchObject({ code: "ROTATION_NOTHING" });
  });
});

describe("with a root on a medium", () => {
  const place = (fleet: ModelFleet, name: string): string =>
    (JSON.parse(readFileSync(join(fleet.authoritiesDir, `${name}.key.json`), "utf8")) as { file: string }).file;

  it("a next root whose medium is lost is given up without any medium", async () => {
    const fleet = await diedAt("issue", { kind: "root" }, onMedium);
    const [next, old] = [place(fleet, "root.next"), place(fleet, "root")];
    renameSync(next, `${next}.lost`);
    renameSync(old, `${old}.away`);
    try {
      await expect(rotate(fleet, { kind: "root" })).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
      await fleet.abandon({ kind: "root" });
      expect(await leftovers(fleet)).toEqual([]);
    } finally {
      renameSync(`${old}.away`, old);
    }
  });

  it("an issuing authority is given up when the root can list it, and not half before", async () => {
    const target: RotationTarget = { kind: "intermediate", leafClass: "gateways" };
    const fleet = await diedAt("issue", target, onMedium);
    const file = place(fleet, "root");
    renameSync(file, `${file}.away`);
    try {
      await expect(fleet.abandon(target)).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
      expect(existsSync(join(fleet.authoritiesDir, "gateways.next.crt"))).toBe(true);
    } finally {
      renameSync(`${file}.away`, file);
    }
    await fleet.abandon(target);
    expect(await leftovers(fleet)).toEqual([]);
    expect(existsSync(join(fleet.authoritiesDir, "transcript.next.jws"))).toBe(false);
  });
});
