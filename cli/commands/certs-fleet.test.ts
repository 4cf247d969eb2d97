import { describe, expect, test } from "vitest";
import { hostErrors } from "../../stacks/host/errors.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { fleetInventory } from "./certs-fleet.ts";

const NOW = new Date("2026-11-21T08:00:00Z");
const LISTED = {
  serial: "a1",
  sha256: null,
  issuer: "TrustKern gateways",
  class: "gateways",
  name: "gw-01",
  state: "issued",
  reason: null,
  not_before: "2026-10-07T08:00:00.000Z",
  not_after: "2027-01-05T08:00:00.000Z",
  revoked_at: null,
  verdict: "x.y.z",
};
const answered = (answer: unknown) => fleetInventory({ tenant: "acme", operator: async () => async () => answer }, NOW);

describe("the fleet's part of the list", () => {
  test("is what the backend has on record", async () => {
    const { rows, missing } = await answered([LISTED, { ...LISTED, serial: "b2", name: "gw-02", state: "revoked" }]);
    expect(missing).toBeUndefined();
    expect(rows.map(({ subject, state, lifeLeft }) => [subject, state, lifeLeft])).toEqual([
      ["O=acme, OU=gateways, CN=gw-01", "ok", 0.5],
      ["O=acme, OU=gateways, CN=gw-02", "revoked", 0.5],
    ]);
  });

  test("is asked for once", async () => {
    const asked: Parameters<OperatorClient>[] = [];
    const ask: OperatorClient = async (...call) => {
      asked.push(call);
      return [];
    };
    await fleetInventory({ tenant: "acme", operator: async () => ask }, NOW);
    expect(asked).toEqual([["GET", "/v1/certificates"]]);
  });

  test.each([
    ["no list", {}],
    ["a class that there is not", [{ ...LISTED, class: "guests" }]],
    ["no beginning, as a backend before this version has it", [{ ...LISTED, not_before: undefined }]],
    ["no date", [{ ...LISTED, not_after: "soon" }]],
  ])("is missing where the answer has %s", async (_, answer) => {
    expect(await answered(answer)).toMatchObject({ rows: [], missing: { code: "SERVICE_FAILED" } });
  });

  test("is missing, with the reason, where nobody answers or no operator can be made", async () => {
    const away = hostErrors.error("NOT_DEPLOYED", "nothing is deployed");
    const failing = async (): Promise<never> => {
      throw away;
    };
    const missing = { code: "NOT_DEPLOYED", message: "nothing is deployed" };
    expect(await fleetInventory({ tenant: "acme", operator: failing }, NOW)).toEqual({ rows: [], missing });
    const late = async () => failing;
    expect(await fleetInventory({ tenant: "acme", operator: late }, NOW)).toEqual({ rows: [], missing });
  });
});
