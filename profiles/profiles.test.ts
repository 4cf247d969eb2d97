import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Engine, PROFILE_NAMES } from "../model/deployment.ts";
import { findingsOf } from "../model/findings.ts";
import { PROFILES, profileNamed } from "./index.ts";
import { acceptsValue } from "./lines.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { defaultDeployment } from "./resolve.ts";
import { keepsRule, renderRule } from "./rule.ts";
import { deploymentJsonSchema, type SchemaNode } from "./schema.ts";
import { renderTemplate } from "./template.ts";
import { valueAt } from "./value-at.ts";

describe.each(PROFILE_NAMES)("profile %s", (name) => {
  const profile = PROFILES[name];

  it("keeps its own constraints, but for what must be said", () => {
    const lookUp = (path: string) => valueAt(profile.defaults, path.split("."));
    for (const { path, rule, when } of profile.constraints) {
      const value = lookUp(path);
      if (when !== undefined && !when.values.some((other) => other === lookUp(when.path))) continue;
      if (value !== undefined) expect(keepsRule(rule, value, lookUp), path).toBe(true);
    }
  });

  it("gives a reason for every line, and names paths that the file has", () => {
    for (const { path, reason } of profile.constraints) {
      expect(reason.length).toBeGreaterThan(20);
      const node = path
        .split(".")
        .reduce<SchemaNode | undefined>(
          (at, key) => (key === "*" ? at?.items : at?.properties?.[key]),
          deploymentJsonSchema(),
        );
      expect(node, path).toBeDefined();
    }
  });

  it("has a template that is a deployment, but for what must be filled in and engines to come", () => {
    const engine = profile.defaults.engine ?? "embedded";
    const text = renderTemplate(profile, { engine, name: "demo", tenant: "demo", schemaName: "trustkern.schema.json" });
    try {
      expect(parseDeploymentYaml(text, "trustkern.yaml").profile).toBe(name);
    } catch (thrown) {
      const paths = findingsOf(thrown).map(({ path }) => path);
      expect(paths.length).toBeGreaterThan(0);
      const open = ["engine", "hosting.region", "hosting.account", "pki.issuing.module"];
      const token = ["pki.issuing.token", "pki.issuing.pinFile"];
      const custody = ["custody.module", "custody.token", "custody.pinFile", "custody.escrow.holders"];
      const images = ["images.source", "images.signedBy", "images.mirror"];
      expect([...open, ...token, ...custody, ...images, "egress.allow"]).toEqual(expect.arrayContaining(paths));
    }
  });
});

/** What only the operator knows, as somebody would fill it in. */
const FILLED: readonly (readonly [blank: RegExp, filled: string])[] = [
  [/^ {2}region: $/m, "  region: eu-central-1"],
  [/^ {2}account: $/m, '  account: "000000000000"'],
  [/^ {2}signedBy:$/m, "  signedBy: /etc/trustkern/images.pub"],
  [/^ {2}mirror:$/m, "  mirror: registry.example/hub"],
  [/^ {4}module:\n {4}token:\n {4}pinFile:$/m, "    module: /usr/lib/t.so\n    token: issuing\n    pinFile: /etc/pin"],
  [/^ {2}module:\n {2}token:\n {2}pinFile:$/m, "  module: /usr/lib/t.so\n  token: custody\n  pinFile: /etc/pin"],
  [/^ {4}region:$/m, "    region: eu-central-1"],
  [/^ {6}services:\n {6}gateways:\n {6}operators:$/m, "      services: a\n      gateways: b\n      operators: c"],
  [/^ {2}keyId:$/m, "  keyId: 1234abcd-12ab-34cd-56ef-1234567890ab"],
  [/^ {2}address:$/m, "  address: https://vault.internal:8200"],
  [/^ {2}key:$/m, "  key: plant"],
  [/^ {2}tokenFile:$/m, "  tokenFile: /etc/vault-token"],
  [/^ {2}acceptSoftware:$/m, "  acceptSoftware: the server is on a token of the site"],
  [/^ {4}holders:$/m, "    holders: [{ name: a, operator: customer }, { name: b, operator: customer }]"],
];
/** A comment that is a part of the file, once its mark is taken away: a member, an element of a list, one indented below. */
const HINT = /^( *)# ((?: *)(?:[a-zA-Z]+(?:-[a-z]+)?:(?: [a-z0-9./-]+)?|- \{.*\}))$/gm;

/** Each profile with its usual engine, and with a cluster where it allows one. */
const TEMPLATES = PROFILE_NAMES.flatMap((name) => {
  const engines: readonly Engine[] = [PROFILES[name].defaults.engine ?? "embedded", "kubernetes"];
  return engines
    .filter((engine) => acceptsValue(PROFILES[name], "engine", engine))
    .map((engine) => [name, engine] as const);
});

describe.each(TEMPLATES)("the template of %s for the engine %s, with its blanks filled in", (name, engine) => {
  const profile = PROFILES[name];
  const filled = FILLED.reduce(
    (made, [blank, value]) => made.replace(blank, value),
    renderTemplate(profile, { engine, name: "demo", tenant: "demo", schemaName: "s.json" }),
  );
  // Of servers elsewhere there are several.
  const text = filled
    .replaceAll(/^( +)addresses:$/gm, "$1addresses: [10.20.1.0/28]")
    .replaceAll(/^( +)host:$/gm, "$1host: ca.internal");
  const refusals = (file: string) => {
    try {
      parseDeploymentYaml(file, "trustkern.yaml");
    } catch (thrown) {
      return findingsOf(thrown).map(({ path, message }) => `${path}: ${message}`);
    }
    return [];
  };

  it("is a deployment with every hint in it taken", () => {
    const taken = text
      .replace("mode: isolated", "mode: restricted")
      .replace(/^ {2}# With mode restricted:\n/m, "")
      .replaceAll(HINT, "$1$2");
    expect(taken).not.toBe(text);
    expect(refusals(taken)).toEqual([]);
  });

  it("names no value in a comment that the profile refuses", () => {
    const state = /^# Where OpenTofu keeps its state: (.*);/m.exec(text)?.[1]?.split(", ") ?? [];
    for (const backend of state) expect(acceptsValue(profile, "state.backend", backend), backend).toBe(true);
    const vendor = /^# What the vendor gets of the metrics: (.*)\.$/m.exec(text)?.[1]?.split(", ") ?? [];
    for (const each of vendor) expect(acceptsValue(profile, "telemetry.vendor", each), each).toBe(true);
    const stateful = engine === "docker";
    if (name !== "dev") expect([state.length > 0, vendor.length > 0]).toEqual([stateful, true]);
  });

  it("says of the engine what the engine reads, and nothing of another", () => {
    const said = Object.keys(parse(text));
    expect(said.includes("kubernetes")).toBe(engine === "kubernetes");
    if (engine !== "kubernetes") return;
    expect(text).not.toMatch(/docker\.|tokenSocket|custodySocket|subnets/);
    expect(text.match(/kind: (tpm2|pkcs11)/g) ?? []).toEqual(name === "air-gapped" ? ["kind: pkcs11"] : []);
    const { kubernetes, custody, pki } = parseDeploymentYaml(
      text.replace(/^ {4}# (- \{ .*purpose: (?:images|keys).*)$/gm, "    $1"),
      "trustkern.yaml",
    );
    expect(kubernetes).toMatchObject({ namespace: "tk-demo", collector: { min: 2, max: 6 } });
    expect(custody.kind).toBe(name === "air-gapped" ? "vault" : "aws-kms");
    expect(pki.issuing.kind).toBe(name === "air-gapped" ? "pkcs11" : "aws-kms");
  });
});

it("keeps plaintext in the European Union", () => {
  const region = PROFILES["eu-hosted"].constraints.find(({ path }) => path === "hosting.region");
  const rule = region?.rule ?? { kind: "required" };
  for (const outside of ["us-east-1", "eu-west-2", "eu-central-2", "local", undefined]) {
    expect(keepsRule(rule, outside)).toBe(false);
  }
});

it("refuses a profile that it does not have, and suggests one", () => {
  expect(() => profileNamed("eu-hostd")).toThrow(
    expect.objectContaining({ code: "PROFILE_UNKNOWN", exit: 6, fix: "did you mean eu-hosted?" }),
  );
  expect(() => profileNamed("constructor")).toThrow(expect.objectContaining({ code: "PROFILE_UNKNOWN" }));
});

describe("rules", () => {
  it.each([
    [{ kind: "between", min: 0, max: 5 }, [0, 5], [-1, 6, "3", undefined, null, Number.NaN]],
    [{ kind: "one-of", values: ["a", 0] }, ["a", 0], ["b", "0", undefined]],
    [{ kind: "required" }, ["x"], [undefined]],
    [{ kind: "required", but: "local" }, ["x"], ["local", undefined]],
    [{ kind: "site-address" }, ["127.0.0.1", "10.1.2.3", undefined], ["0.0.0.0", "8.8.8.8", "fd00::1", 7]],
    [
      { kind: "names-region-of", path: "region" },
      ["s3.eu-west-1.example", "x.example", undefined],
      ["s3.us-east-1.example"],
    ],
    [
      { kind: "names-region-among", values: ["eu-west-1"] },
      ["x.eu-west-1.example", undefined],
      ["x.eu-west-2.example"],
    ],
    [
      { kind: "registry-apart-from", domains: ["a.example"] },
      ["b.example/a.example", undefined],
      ["a.example/x", "x.A.example:5"],
    ],
    [{ kind: "lasts", min: "72h", max: "90d" }, ["72h", "3d", "90d"], ["259199s", "91d", "9", 72, undefined]],
    [{ kind: "shorter-than", path: "other" }, ["1s", "719h", "9", undefined], ["30d", "720h", "31d"]],
    [{ kind: "same-as", path: "other" }, ["30d"], ["720h", "", undefined]],
    [{ kind: "other-than", path: "other" }, ["720h", "", undefined], ["30d"]],
    [{ kind: "no-longer-than", path: "other" }, ["1s", "30d", "720h", "9", undefined], ["31d", "721h"]],
    [
      { kind: "within", path: "begin", max: "7d" },
      ["2027-03-08T00:00:00Z", "2027-03-01T00:00:01Z", "never", undefined],
      ["2027-03-08T00:00:01Z", "2028-01-01T00:00:00Z"],
    ],
    [{ kind: "on-site-host", orNone: true }, ["10.0.0.1", undefined], ["1.1.1.1", "ntp.example", null]],
    [
      { kind: "site-networks" },
      [undefined, [], ["10.0.0.0/8", "172.16.0.0/12", "192.168.4.0/24"]],
      [
        "10.0.0.0/8",
        ["10.0.0.0/7"],
        ["172.0.0.0/12"],
        ["192.168.0.0/15"],
        ["0.0.0.0/0"],
        ["10.0.0.0/8", "8.8.8.0/24"],
        [7],
      ],
    ],
    [{ kind: "on-site-host" }, ["10.0.0.1", "fd00::1", "ntp.internal"], ["1.1.1.1", "ntp.example", undefined]],
    [{ kind: "on-site" }, ["https://10.0.0.1"], ["https://1.1.1.1", undefined]],
  ] as const)("%j", (rule, kept, broken) => {
    const others: Readonly<Record<string, string>> = {
      other: "30d",
      region: "eu-west-1",
      begin: "2027-03-01T00:00:00Z",
    };
    const lookUp = (path: string) => others[path];
    for (const value of kept) expect(keepsRule(rule, value, lookUp), String(value)).toBe(true);
    for (const value of broken) expect(keepsRule(rule, value, lookUp), String(value)).toBe(false);
    expect(renderRule(rule)).not.toBe("");
  });
});

it("describes every member of the file to editors, in draft 7", () => {
  const schema = deploymentJsonSchema();
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  const undescribed: string[] = [];
  const walk = (node: SchemaNode, path: string): void => {
    if (!node.description) undescribed.push(path);
    if (node.properties) expect(node).toHaveProperty("additionalProperties", false);
    for (const [key, child] of Object.entries(node.properties ?? {})) walk(child, `${path}.${key}`);
    if (node.items) walk(node.items, `${path}[]`);
  };
  walk(schema, "");
  expect(undescribed).toEqual([]);
});

it("starts the dev profile on the embedded engine where there is no file", () => {
  expect(defaultDeployment()).toMatchObject({ profile: "dev", engine: "embedded", fixture: false });
});
