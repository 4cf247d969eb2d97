import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { Component } from "../../../model/component.ts";
import { hostErrors } from "../errors.ts";
import type { OperatorClient } from "../operator-client.ts";
import { backendSide } from "./backend-side.ts";
import { engineFleet } from "./engine-fleet.ts";
import { concernedElsewhere, UNLISTED } from "./gateways-elsewhere.ts";

const line = { state: "active", valid_until: "2027-01-01T00:00:00Z", shown: null, trust: null };
const dir = mkdtempSync(join(tmpdir(), "tk-fleet-"));
const components = [
  { name: "simulator", identity: "gw-rogue" },
  { name: "gw-01", identity: "gw-01" },
].map((each) => ({ ...each, secrets: [], renewal: "watch" }) as unknown as Component);
const leafFiles = (component: string): readonly string[] => (component === "simulator" ? [join(dir, "rogue.crt")] : []);
let now: number;
let asked: number;
let issued: readonly string[];
let answer: () => Promise<unknown>;
const operator: OperatorClient = async (method, path) => {
  asked += 1;
  expect([method, path]).toEqual(["GET", "/v1/gateways"]);
  return answer();
};
const listing =
  (...names: readonly string[]) =>
  async () =>
    names.map((name) => ({ ...line, name }));

beforeAll(async () => {
  const clock = () => new Date();
  const made = await issueDeploymentCertificates({
    tenant: "acme",
    clock,
    services: [],
    gateways: ["gw-rogue"],
    operators: [],
  });
  writeFileSync(join(dir, "rogue.crt"), made.leaves[0]?.certPem ?? "");
});
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => {
  [now, asked, issued] = [1_000_000, 0, []];
});

function make() {
  const clock = () => new Date(now);
  return engineFleet({
    components,
    secretFile: (_, secret) => join(dir, secret),
    leafFiles,
    issuedHere: () => issued,
    clock,
    status: async () => undefined,
    authority: async () => undefined,
    startedAt: async () => new Map(),
    restart: async () => undefined,
    reload: async () => undefined,
    backend: backendSide(async () => operator, clock),
  });
}
const elsewhere = async (fleet: ReturnType<typeof make>) =>
  (await fleet.members()).filter((each) => each.elsewhere).map(({ name }) => name);

describe("the fleet of an engine", () => {
  it("has the gateways of the backend's list that are none of its own, by their components or their leaves", async () => {
    answer = listing("gw-01", "gw-77", "gw-rogue");
    const members = await make().members();
    expect(members.map(({ name }) => name)).toEqual(["simulator", "gw-01", "gw-77"]);
    expect(members.flatMap(({ name, elsewhere }) => (elsewhere ? [name] : []))).toEqual(["gw-77"]);
  });

  it("has those that it issued for by hand while the backend was away, and nothing is proven of them", async () => {
    issued = ["gw-01", "gw-77", "gw-78", "gw-79", "gw-rogue"];
    answer = async () => [
      { ...line, name: "gw-77" },
      { ...line, name: "gw-79", state: "revoked" },
    ];
    const found = (await make().members()).filter((each) => each.elsewhere);
    expect(found.map(({ name }) => name)).toEqual(["gw-77", "gw-78"]);
    expect(found[1]).toMatchObject({ anchors: undefined, pins: undefined, elsewhere: { authority: undefined } });
  });

  it("asks for the list again after a second, and not at every look", async () => {
    answer = listing("gw-77");
    const fleet = make();
    await fleet.members();
    now += 999;
    answer = listing("gw-77", "gw-78");
    expect([await elsewhere(fleet), asked]).toEqual([["gw-77"], 1]);
    now += 1;
    expect([await elsewhere(fleet), asked]).toEqual([["gw-77", "gw-78"], 2]);
  });

  it.each([
    ["does not answer", async () => Promise.reject(hostErrors.error("SERVICE_FAILED", "backend: away"))],
    ["answers with something else", async () => ({ gateways: [] })],
  ])("holds nothing for proven while the backend %s, and goes on once it does", async (_, wrong) => {
    answer = wrong;
    const fleet = make();
    expect(await fleet.members()).toContainEqual(
      expect.objectContaining({
        name: UNLISTED,
        anchors: undefined,
        pins: undefined,
        elsewhere: { authority: undefined },
      }),
    );
    now += 1000;
    answer = listing("gw-77");
    expect(await elsewhere(fleet)).toEqual(["gw-77"]);
  });
});

describe("who is concerned by a rotation elsewhere", () => {
  const pki = { leafFiles, ledger: { gatewaysIssued: () => issued } };
  const site = { model: { components }, pki, operator: async () => operator, clock: () => new Date(now) };
  const concerned = (what: string) =>
    concernedElsewhere(site as unknown as Parameters<typeof concernedElsewhere>[0], what);

  it.each(["root", "pin", "intermediate:gateways", "intermediate:services", "leaf:broker"])("of %s", async (what) => {
    issued = ["gw-78"];
    answer = listing("gw-01", "gw-77", "gw-rogue");
    expect(await concerned(what)).toEqual(["gw-77", "gw-78"]);
  });

  it.each(["leaf:backend", "token:gw-01", "intermediate:operators"])(
    "is nobody for %s, and nobody is asked",
    async (what) => {
      expect([await concerned(what), asked]).toEqual([[], 0]);
    },
  );

  it("is said not to be known while the backend is away", async () => {
    answer = async () => Promise.reject(hostErrors.error("SERVICE_FAILED", "backend: away"));
    expect(await concerned("root")).toEqual([UNLISTED]);
  });
});
