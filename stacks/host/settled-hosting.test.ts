import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type HostState, readState, settledHosting, writeState } from "./state.ts";

const old: HostState = {
  ...{ schema: "trustkern.docker-state/1", tenant: "acme", createdAt: "2027-03-01T00:00:00Z", ports: {}, volumes: [] },
};
const hosting = { region: "eu-central-1", account: "1", operator: "customer" } as const;
const before = { region: "eu-central-1", account: "1" };
let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "tk-state-")), "deployment.json");
});
afterEach(() => rmSync(join(file, ".."), { recursive: true }));

it.each(["eu-hosted", "customer-tenant", "air-gapped"] as const)("is that of the first deploy, with %s", (profile) => {
  expect(settledHosting(undefined, { profile, hosting })).toEqual(before);
  expect(settledHosting(old, { profile, hosting })).toEqual(before);
  const settled = { ...old, hosting: before };
  expect(settledHosting(settled, { profile, hosting })).toEqual(before);
  for (const [member, value] of [
    ["region", "eu-west-1"],
    ["account", "2"],
  ] as const) {
    const moved = () => settledHosting(settled, { profile, hosting: { ...hosting, [member]: value } });
    expect(moved).toThrow(expect.objectContaining({ code: "HOSTING_MOVED", exit: 5, path: `hosting.${member}` }));
    expect(moved).toThrow(new RegExp(`"${value}".*"eu-central-1"`));
  }
});

it("is not asked of a development deployment, and not forgotten by one either", () => {
  const local = { profile: "dev", hosting: { ...hosting, region: "local" } } as const;
  expect(settledHosting(undefined, local)).toBeUndefined();
  expect(settledHosting({ ...old, hosting: before }, local)).toEqual(before);
});

it("is kept in the state file, and a file of before it is taken", () => {
  writeState(file, old);
  expect(readState(file, "acme", "docker")?.hosting).toBeUndefined();
  writeState(file, { ...old, hosting: before });
  expect(readState(file, "acme", "docker")?.hosting).toEqual(before);
});

it.each([{ region: "" }, { region: "a" }, { region: "a", account: "b", owner: "c" }, "eu-central-1"])(
  "is refused as %j in a state file",
  (said) => {
    writeFileSync(file, JSON.stringify({ ...old, hosting: said }));
    expect(() => readState(file, "acme", "docker")).toThrow(expect.objectContaining({ code: "STATE_CORRUPT" }));
  },
);
