import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCrl, verifyCrl } from "../../../certs/crl.ts";
import { normalSerial } from "../../../certs/serial.ts";
import { PHASES, type Phase } from "./journal.ts";
import type { ModelFleet } from "./model-fleet.ts";
import { rotationOf } from "./rotations.ts";
import type { RotationTarget } from "./target.ts";
import { testFleets } from "./test-fleets.ts";

const ROOT: RotationTarget = { kind: "root" };
const SERVICES = { kind: "intermediate", leafClass: "services" } as const;
const GATEWAYS = { kind: "intermediate", leafClass: "gateways" } as const;
const BACKEND: RotationTarget = { kind: "leaf", component: "backend" };
const NOW = new Date("2026-11-21T08:00:00Z");

const make = testFleets();

/** What is seen as each phase of a rotation begins, and after the last. */
async function seenAt<Seen>(
  fleet: ModelFleet,
  target: RotationTarget,
  see: () => Seen,
): Promise<Record<Phase | "end", Seen>> {
  const seen: Partial<Record<Phase | "end", Seen>> = {};
  fleet.onPhase = (phase) => {
    seen[phase] = see();
  };
  await fleet.rotate((context) => rotationOf(target, context));
  seen.end = see();
  expect(Object.keys(seen)).toEqual([...PHASES, "end"]);
  return seen as Record<Phase | "end", Seen>;
}

/** Whether a list of that authority, as its key signed it, is among those that were published. */
function isPublished(fleet: ModelFleet, authority: string): boolean {
  const issuerPem = fleet.open().store.read(authority);
  if (issuerPem === undefined) return false;
  return fleet.published.some((pem) => verifyCrl({ pem, issuerPem, now: NOW }).length === 0);
}

describe("revocation lists", () => {
  it("of a new root are published before anybody has to prove that it uses it", async () => {
    const fleet = make();
    const seen = await seenAt(fleet, ROOT, () => isPublished(fleet, "root"));
    expect([seen["prove-use"], seen["remove-old"]]).toEqual([true, true]);
  });

  it.each([SERVICES, GATEWAYS])(
    "of $leafClass's new authority are published before its first leaf is",
    async (target) => {
      const fleet = make();
      const seen = await seenAt(fleet, target, () => isPublished(fleet, `${target.leafClass}.next`));
      expect([seen["prove-trust"], seen.issue]).toEqual([true, true]);
    },
  );

  it.each([ROOT, SERVICES, GATEWAYS, BACKEND])("are published as they are in the end: %o", async (target) => {
    const fleet = make();
    await fleet.rotate((context) => rotationOf(target, context));
    expect(fleet.published).toEqual(fleet.open().crls.own());
  });

  it.each(["services", "gateways"] as const)(
    "of %s go on from the number of their successor's own",
    async (leafClass) => {
      const fleet = make();
      const numberOf = (name: string): bigint =>
        readCrl(readFileSync(join(fleet.authoritiesDir, "crls", `${name}.pem`), "utf8")).number;
      let staged = 0n;
      let promoted = 0n;
      fleet.onPhase = (phase) => {
        if (phase === "issue") staged = numberOf(`${leafClass}.next`);
        if (phase === "prove-use") promoted = numberOf(leafClass);
      };
      await fleet.rotate((context) => rotationOf({ kind: "intermediate", leafClass }, context));
      expect(staged).toBeGreaterThan(0n);
      expect(promoted).toBeGreaterThan(staged);
    },
  );
});

describe("an issuing authority that was replaced", () => {
  it.each(["services", "gateways"] as const)(
    "of %s is revoked by the root at the end, once, and not before",
    async (leafClass) => {
      const fleet = make();
      const old = fleet.open().store.read(leafClass) ?? "";
      const serial = normalSerial(new X509Certificate(old).serialNumber);
      const seen = await seenAt(fleet, { kind: "intermediate", leafClass }, () => fleet.revokedSerials());
      expect([seen["remove-old"], seen.end]).toEqual([[], [serial]]);
      expect(fleet.listedByRoot()).toEqual([serial]);
      const root = fleet.published.filter((pem) => readCrl(pem).issuer.includes("CN=TrustKern root"));
      expect(root.flatMap((pem) => readCrl(pem).revoked.map((one) => one.serial))).toEqual([serial]);
    },
  );
});
