import { beforeAll, describe, expect, test } from "vitest";
import { type DeploymentCertificates, issueDeploymentCertificates } from "./deployment.ts";
import { type InventoryState, planInventory, renderInventoryMetrics } from "./inventory.ts";

const DAY_MS = 86_400_000;
const now = new Date("2026-11-21T08:00:00Z");
let made: DeploymentCertificates;
beforeAll(async () => {
  const services = [{ name: "svc-broker" }];
  made = await issueDeploymentCertificates({
    tenant: "acme",
    clock: () => now,
    services,
    gateways: ["gw-01"],
    operators: [],
  });
});
const broker = () => ({ certPem: made.leaves[0]!.certPem, usedBy: "secrets/broker/tls.crt" });
const gateway = () => ({ certPem: made.leaves[1]!.certPem, usedBy: "secrets/gw-01/tls.crt" });
const stateAfter = (days: number): InventoryState | undefined =>
  planInventory({ sources: [broker()], at: new Date(now.getTime() + days * DAY_MS) })[0]?.state;

describe("planInventory", () => {
  test("names a certificate once, with everywhere that it is used", () => {
    const sources = [broker(), gateway(), { ...broker(), usedBy: "secrets/alloy/broker.crt" }];
    const rows = planInventory({ sources, at: now });
    expect(rows.map(({ subject, usedBy }) => [subject, usedBy])).toEqual([
      ["O=acme, OU=services, CN=svc-broker", ["secrets/alloy/broker.crt", "secrets/broker/tls.crt"]],
      ["O=acme, OU=gateways, CN=gw-01", ["secrets/gw-01/tls.crt"]],
    ]);
    expect(rows[0]).toMatchObject({ issuer: "TrustKern services", class: "services", state: "ok" });
  });

  test("puts what ends first at the top", () => {
    const sources = [{ certPem: made.root.certPem, usedBy: "authorities/root.crt" }, gateway(), broker()];
    expect(planInventory({ sources, at: now }).map((row) => row.class)).toEqual(["services", "gateways", "authority"]);
  });

  test.each([
    [0, "ok"],
    [19.9, "ok"],
    [20.1, "due"],
    [23.9, "due"],
    [24.1, "overdue-20"],
    [27.1, "overdue-10"],
    [29.2, "overdue-3"],
    [30.1, "expired"],
    [-1, "not-yet-valid"],
  ] as const)("calls a certificate of 30 days after %d days %s", (days, state) => {
    expect(stateAfter(days)).toBe(state);
  });

  test("says revoked before anything else, and of that issuer's certificate alone", () => {
    const at = new Date(now.getTime() + 31 * DAY_MS);
    const [row] = planInventory({ sources: [broker()], at });
    const revoked = (issuer: string) =>
      planInventory({
        sources: [broker()],
        at,
        isRevoked: (serial, by) => serial === row?.serial && by === issuer,
      })[0]?.state;
    expect(revoked("TrustKern services")).toBe("revoked");
    expect(revoked("TrustKern gateways")).toBe("expired");
  });

  test("keeps the share of life between 0 and 1", () => {
    const left = (days: number) =>
      planInventory({ sources: [broker()], at: new Date(now.getTime() + days * DAY_MS) })[0]?.lifeLeft;
    expect([left(-9), left(99)]).toEqual([1, 0]);
  });

  test("refuses what is no certificate", () => {
    expect(() => planInventory({ sources: [{ certPem: "none", usedBy: "a" }], at: now })).toThrow();
  });
});

describe("renderInventoryMetrics", () => {
  test("gives each certificate its end and the share that is left", () => {
    const text = renderInventoryMetrics(planInventory({ sources: [broker()], at: now }));
    const end = now.getTime() / 1000 + 30 * 86_400;
    expect(text).toMatch(new RegExp(`^trustkern_certificate_not_after_seconds\\{subject="O=acme.*\\} ${end}$`, "m"));
    expect(text).toMatch(/^trustkern_certificate_life_left_ratio\{.*state="ok"\} 0\.99\d+$/m);
  });

  test("escapes what would end a label", () => {
    const [row] = planInventory({ sources: [{ ...broker(), usedBy: 'a"b\\c\nd' }], at: now });
    expect(renderInventoryMetrics([row!])).toContain('used_by="a\\"b\\\\c\\nd"');
  });
});
