import { describe, expect, test } from "vitest";
import { type FleetCertificate, mergeInventories, planFleetInventory } from "./fleet-inventory.ts";
import type { InventoryRow } from "./inventory.ts";

const DAY_MS = 86_400_000;
const NOW = new Date("2026-11-21T08:00:00Z");
let serials = 0;

/** A gateway's certificate of 90 days that began so many days ago, but for what is changed. */
function certificate(daysAgo: number, changes: Partial<FleetCertificate> = {}): FleetCertificate {
  const notBefore = new Date(NOW.getTime() - daysAgo * DAY_MS);
  serials += 1;
  return {
    serial: `a${serials}`,
    issuer: "TrustKern gateways",
    leafClass: "gateways",
    name: "gw-01",
    state: "issued",
    notBefore,
    notAfter: new Date(notBefore.getTime() + 90 * DAY_MS),
    ...changes,
  };
}

/** An operator's of an hour, that many minutes old. */
const operator = (minutes: number, changes: Partial<FleetCertificate> = {}) => {
  const notBefore = new Date(NOW.getTime() - minutes * 60_000);
  const notAfter = new Date(notBefore.getTime() + 3_600_000);
  const of = { issuer: "TrustKern operators", leafClass: "operators", name: "op-ada" } as const;
  return certificate(0, { ...of, notBefore, notAfter, ...changes });
};
const plan = (...certificates: readonly FleetCertificate[]) =>
  planFleetInventory({ tenant: "acme", certificates, at: NOW });
const serialsOf = (rows: readonly InventoryRow[]) => rows.map(({ serial }) => serial);

describe("the fleet's inventory", () => {
  test("has whose a certificate is, whose authority's, and where it is used", () => {
    const { serial, ...held } = certificate(45);
    expect(plan({ serial, ...held })).toEqual([
      {
        subject: "O=acme, OU=gateways, CN=gw-01",
        issuer: "TrustKern gateways",
        serial,
        class: "gateways",
        notAfter: held.notAfter,
        usedBy: ["fleet/gw-01"],
        lifeLeft: 0.5,
        state: "ok",
      },
    ]);
  });

  test.each([
    [59, "ok"],
    [61, "due"],
    [73, "overdue-20"],
    [82, "overdue-10"],
    [88, "overdue-3"],
    [91, "expired"],
    [-1, "not-yet-valid"],
  ] as const)("calls a gateway's after %d days %s", (days, state) => {
    expect(plan(certificate(days)).map((row) => row.state)).toEqual([state]);
  });

  test("passes over what a newer one has replaced, in whatever order they are on record", () => {
    const [old, newer] = [certificate(80), certificate(5)];
    expect(serialsOf(plan(old, newer))).toEqual([newer.serial]);
    expect(serialsOf(plan(newer, old))).toEqual([newer.serial]);
    const other = certificate(80, { name: "gw-02" });
    expect(serialsOf(plan(other, newer))).toEqual([other.serial, newer.serial]);
  });

  test("does not take one that nobody has shown yet for the successor of one in use", () => {
    const [old, given] = [certificate(80), certificate(0, { state: "expected" })];
    expect(serialsOf(plan(old, given))).toEqual([old.serial]);
    expect(serialsOf(plan(given))).toEqual([given.serial]);
  });

  test("has what is revoked until it would have ended, beside what replaced it", () => {
    const [revoked, newer, ended] = [
      certificate(80, { state: "revoked" }),
      certificate(5),
      certificate(91, { state: "revoked" }),
    ];
    expect(plan(ended, newer, revoked).map((row) => [row.serial, row.state])).toEqual([
      [revoked.serial, "revoked"],
      [newer.serial, "ok"],
    ]);
  });

  test("has all valid ones of an operator, never overdue, and none that ended", () => {
    const [one, other] = [operator(59), operator(5)];
    expect(plan(one, operator(61), other).map((row) => [row.serial, row.state])).toEqual([
      [one.serial, "ok"],
      [other.serial, "ok"],
    ]);
    expect(plan(operator(59, { state: "revoked" })).map((row) => row.state)).toEqual(["revoked"]);
  });
});

describe("two inventories", () => {
  const [held] = plan(certificate(10)) as [InventoryRow];
  const ours: InventoryRow = { ...held, usedBy: ["secrets/gw-01/tls.crt"] };

  test("have a certificate once, as the host's file", () => {
    expect(mergeInventories([ours], [held])).toEqual([ours]);
  });

  test("make it revoked where the backend alone knows that", () => {
    expect(mergeInventories([ours], [{ ...held, state: "revoked" }])).toEqual([{ ...ours, state: "revoked" }]);
    expect(mergeInventories([{ ...ours, state: "revoked" }], [held])).toEqual([{ ...ours, state: "revoked" }]);
  });

  test("do not take another issuer's of the same serial number for it", () => {
    const foreign = { ...held, issuer: "TrustKern services", state: "revoked" } as const;
    expect(mergeInventories([ours], [foreign])).toEqual(expect.arrayContaining([ours, foreign]));
  });

  test("are in one order", () => {
    const late = plan(certificate(1, { name: "gw-02" }));
    expect(serialsOf(mergeInventories(late, [held]))).toEqual([held.serial, late[0]?.serial]);
  });
});
