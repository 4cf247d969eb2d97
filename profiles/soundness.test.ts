import { describe, expect, it } from "vitest";
import { PROFILE_NAMES } from "../model/deployment.ts";
import { PROFILES } from "./index.ts";
import type { Constraint, Profile } from "./profile.ts";
import { checkProfile } from "./soundness.ts";
import { TOPICS } from "./topics.ts";

const site = PROFILES["air-gapped"];
const weak = (changes: Partial<Profile>) =>
  checkProfile({ ...site, ...changes }).map(
    ({ path, message }) => `${path.slice("profiles.air-gapped.".length)}: ${message}`,
  );
const line = (changes: Partial<Constraint>): Constraint => ({
  ...{ topic: "engine", path: "engine", rule: { kind: "required" }, reason: "a reason that is long enough" },
  ...changes,
});
const withLine = (changes: Partial<Constraint>) => weak({ constraints: [...site.constraints, line(changes)] });

it.each(PROFILE_NAMES)("profile %s is sound", (name) => {
  expect(checkProfile(PROFILES[name])).toEqual([]);
});

describe("a weak profile", () => {
  it.each(TOPICS)("says nothing of %s", (topic) => {
    const constraints = site.constraints.filter((each) => each.topic !== topic);
    const assurances = site.assurances.filter((each) => each.topic !== topic);
    expect(weak({ constraints, assurances })).toContain(`${topic}: there is no line of this topic`);
  });

  it.each([
    ["engine", "embedded"],
    ["hosting.operator", "self"],
    ["egress.mode", "open"],
    ["images.source", "packages"],
    ["pki.issuing.kind", "file"],
    ["custody.owner", "self"],
  ])("lets %s be %s, once its line is gone", (path, value) => {
    const constraints = site.constraints.filter((each) => each.path !== path);
    const found = weak({ constraints }).filter((each) => !each.includes("no line of this topic"));
    expect(found).toContain(`${path}: "${value}" is accepted, which no such profile may`);
    expect(found.every((each) => each.startsWith(`${path}: `))).toBe(true);
  });

  it.each([
    ["pki.issuing.kind", "aws-kms", ["pkcs11", "tpm2", "aws-kms"]],
    ["custody.kind", "aws-kms", ["pkcs11", "tpm2", "aws-kms"]],
    ["state.backend", "s3", ["local", "s3"]],
    ["images.source", "registry", ["bundle", "registry"]],
  ])("lets %s be %s, which is a provider's, on a site that reaches none", (path, value, values) => {
    const constraints = site.constraints.map((each) =>
      each.path === path ? { ...each, rule: { kind: "one-of", values } as const } : each,
    );
    expect(weak({ constraints })).toEqual([`${path}: "${value}" is accepted, which no such profile may`]);
  });

  it("gives no reason", () => {
    expect(withLine({ reason: " because " })).toEqual(["engine: the line has no reason"]);
    const [first, ...rest] = site.assurances;
    expect(weak({ assurances: [{ ...first!, reason: "" }, ...rest] })).toEqual([
      `${first?.heldBy}: the line has no reason`,
    ]);
  });

  it.each([
    ["a path that no file has", { path: "hosting.continent" }, "no file has this path"],
    [
      "a condition on no member",
      { when: { path: "custody.colour", values: ["red"] } },
      "no file has the path custody.colour",
    ],
    ["a condition that is never met", { when: { path: "custody.kind", values: ["hsm"] } }, "custody.kind is never hsm"],
    ["a condition of nothing", { when: { path: "custody.kind", values: [] } }, "the line never applies"],
    ["an empty list", { path: "name", rule: { kind: "one-of", values: [] } }, "no value keeps the line"],
    [
      "a range that is backwards",
      { path: "retention.raw", rule: { kind: "lasts", min: "2d", max: "1d" } },
      "no value keeps the line",
    ],
    [
      "all values that there are",
      { path: "images.grafana", rule: { kind: "one-of", values: ["present", "absent"] } },
      "every value keeps the line",
    ],
  ] as const)("has a line with %s", (_, changes, why) => {
    expect(withLine(changes as Partial<Constraint>).some((each) => each.endsWith(why))).toBe(true);
  });

  it("goes on where something else than encryption is not proven", () => {
    const assurances = site.assurances.map((each) => ({ ...each, reportOnly: true }));
    expect(weak({ assurances })).toContain("running.egress: what is not proven would be gone on with");
  });

  it("goes on where a message's way to the database is not proven", () => {
    const assurances = site.assurances.map((each) =>
      each.heldBy === "data.gateway" ? { ...each, heldBy: "data.stored" } : each,
    );
    expect(weak({ assurances })).toEqual(["data.stored: what is not proven would be gone on with"]);
  });

  it("does without custody", () => {
    expect(weak({ mayBeAbsent: ["custody"] })).toEqual(['mayBeAbsent: no deployment can do without "custody"']);
  });
});

describe("a contradictory profile", () => {
  it.each([
    ["two lists", { path: "engine", rule: { kind: "one-of", values: ["embedded"] } }, "engine"],
    [
      "two ranges",
      { path: "retention.telemetry", rule: { kind: "lasts", min: "3651d", max: "9999d" } },
      "retention.telemetry",
    ],
    [
      "a list and a range",
      { path: "simulator.sensors", rule: { kind: "between", min: 1, max: 5 } },
      "simulator.sensors",
    ],
  ] as const)("has %s that nothing keeps", (_, changes, path) => {
    expect(withLine(changes as Partial<Constraint>)).toContain(`${path}: no value keeps both lines of this path`);
  });

  it("has two lists that hold at different times", () => {
    const of = (kind: string, value: string) =>
      line({
        path: "custody.class",
        when: { path: "custody.kind", values: [kind] },
        rule: { kind: "one-of", values: [value] },
      });
    expect(weak({ constraints: [...site.constraints, of("tpm2", "hardware"), of("pkcs11", "virtual")] })).toEqual([]);
  });

  it.each([
    [{ engine: "embedded" }, "engine: the default breaks the line"],
    [{ egress: { mode: "open" } }, "egress.mode: the default breaks the line"],
    [{ retention: { telemetry: "30d", raw: "31d" } }, "retention.raw: the default breaks the line"],
  ] as const)("has the default %j", (defaults, found) => {
    expect(weak({ defaults: { ...site.defaults, ...defaults } })).toEqual([found]);
  });
});
