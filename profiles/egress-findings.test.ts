import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findingsOf } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { LEAST_FILES, withValue } from "./test-files.ts";

type Values = Readonly<Record<string, unknown>>;
const host = (name: string, port: number, purpose: string, more: object = {}) => ({
  ...{ host: name, port, protocol: "tcp", purpose, region: "eu-central-1" },
  ...more,
});
const REGISTRY = host("registry.example", 443, "images");
const S3 = { backend: "s3", bucket: "abc", key: "k", region: "eu-central-1" };
const HTTP = { backend: "http", address: "https://state.internal:8443/trustkern" };
const ISSUING_KMS = { kind: "aws-kms", region: "eu-west-1", keys: { services: "a", gateways: "b", operators: "c" } };

const found = (profile: keyof typeof LEAST_FILES, values: Values): readonly Finding[] => {
  const file = Object.entries(values).reduce<object>(
    (made, [path, value]) => withValue(made, path, value),
    LEAST_FILES[profile],
  );
  try {
    parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
  } catch (thrown) {
    return findingsOf(thrown);
  }
  return [];
};
const refusals = (profile: keyof typeof LEAST_FILES, values: Values) =>
  found(profile, values).filter(({ code }) => code === "CONFIG_EGRESS");
const brokenLines = (profile: keyof typeof LEAST_FILES, values: Values) =>
  found(profile, values).filter(({ code, path }) => code === "CONFIG_PROFILE" && path.startsWith("egress"));
const hosted = (allow: readonly object[], more: Values = {}) =>
  refusals("eu-hosted", { "egress.allow": allow, ...more }).map(({ path }) => path);

describe("the list of egress", () => {
  it.each([
    ["isolated", ["egress.allow", "images.source"]],
    ["open", ["egress.allow"]],
  ])("has no place beside mode %s", (mode, paths) => {
    expect(hosted([REGISTRY], { "egress.mode": mode }).filter((path) => paths.includes(path))).toEqual([
      "egress.allow",
    ]);
  });

  it("is not empty where the mode is restricted", () => {
    expect(refusals("air-gapped", { egress: { mode: "restricted" } }).map(({ path }) => path)).toEqual([
      "egress.allow",
    ]);
    expect(refusals("air-gapped", { egress: { mode: "restricted", allow: [] } })[0]?.fix).toContain("isolated");
    expect(refusals("dev", { egress: { mode: "restricted", allow: [] } }).map(({ path }) => path)).toEqual([
      "images.source",
    ]);
  });

  it("is nobody's business in a development deployment that says nothing", () => {
    expect(refusals("dev", { state: HTTP })).toEqual([]);
  });

  it.each([
    ["nothing for the registry", [host("ntp.example", 123, "ntp", { protocol: "udp" })], {}, ["images.source"]],
    ["the registry for another purpose", [{ ...REGISTRY, purpose: "siem" }], {}, ["images.source"]],
    ["the registry by UDP", [{ ...REGISTRY, protocol: "udp" }], {}, ["images.source"]],
    ["another mirror", [REGISTRY], { "images.mirror": "mirror.example" }, ["images.mirror"]],
    ["the mirror at another port", [REGISTRY], { "images.mirror": "registry.example:5000/hub" }, ["images.mirror"]],
    ["no state", [REGISTRY], { state: S3 }, ["state.region"]],
    [
      "the state of another region",
      [REGISTRY, host("s3.eu-west-1.amazonaws.com", 443, "state")],
      { state: S3 },
      ["state.region"],
    ],
    [
      "a host that only looks like S3",
      [REGISTRY, host("s3.eu-central-1.example", 443, "state")],
      { state: S3 },
      ["state.region"],
    ],
    ...[
      "s3.eu-central-1.amazonaws.evil.com",
      "s3.eu-central-1.amazonaws.com.attacker.example",
      "s3.eu-central-1.amazonaws.eu",
      "xs3.eu-central-1.amazonaws.com",
    ].map(
      (name) =>
        [
          `S3's name with something else after or before it, ${name}`,
          [REGISTRY, host(name, 443, "state")],
          { state: S3 },
          ["state.region"],
        ] as const,
    ),
    [
      "another service than S3's own",
      [REGISTRY],
      { state: { ...S3, endpoint: "https://s3.example" } },
      ["state.endpoint"],
    ],
    ["the state for images", [REGISTRY, host("state.internal", 8443, "images")], { state: HTTP }, ["state.address"]],
    [
      "the state at the usual port",
      [REGISTRY, host("state.internal", 443, "state")],
      { state: HTTP },
      ["state.address"],
    ],
    ["no KMS of the authorities", [REGISTRY], { "pki.issuing": ISSUING_KMS }, ["pki.issuing.region"]],
    [
      "no server of custody",
      [REGISTRY],
      { custody: { kind: "vault", address: "https://vault.internal", mount: "t", key: "k", tokenFile: "/t" } },
      ["custody.address"],
    ],
    [
      "no KMS of custody, in the region of the hosting",
      [REGISTRY],
      { custody: { kind: "aws-kms", keyId: "1234abcd-12ab-34cd-56ef-1234567890ab" } },
      ["custody.region"],
    ],
  ] as const)("lacks what the file names, where it has %s", (_, allow, more, paths) => {
    expect(hosted(allow, more)).toEqual(paths);
  });

  it.each([
    ["a bucket's own host", [REGISTRY, host("abc.s3.eu-central-1.amazonaws.com", 443, "state")], { state: S3 }],
    ["the region's", [REGISTRY, host("s3.eu-central-1.amazonaws.com", 443, "state")], { state: S3 }],
    ["a mirror as one", [host("mirror.example", 5000, "mirror")], { "images.mirror": "mirror.example:5000/hub" }],
    ["a server of the state", [REGISTRY, host("state.internal", 8443, "state")], { state: HTTP }],
  ] as const)("has what the file names: %s", (_, allow, more) => {
    expect(hosted(allow, more)).toEqual([]);
  });

  it("is told of every host that it lacks at once, with the entry to add", () => {
    const missing = refusals("eu-hosted", { "egress.allow": [], state: S3, "images.mirror": "mirror.example" });
    expect(missing.map(({ path }) => path).sort()).toEqual(["images.mirror", "state.region"]);
    const [mirror] = missing.filter(({ path }) => path === "images.mirror");
    expect(mirror?.fix).toBe(
      "add to egress.allow: { host: mirror.example, port: 443, protocol: tcp, purpose: images, region: eu-central-1 }",
    );
    expect(mirror?.line).toBe(1);
  });

  const added = (fix: string): Values[string] => {
    const entry = /\{.*\}$/.exec(fix)?.[0];
    return entry === undefined ? undefined : parse(entry);
  };
  it.each<[keyof typeof LEAST_FILES, Values]>([
    ["eu-hosted", { state: S3, "images.mirror": "mirror.example", "egress.allow": [] }],
    ["eu-hosted", { state: HTTP, "egress.allow": [] }],
    ["eu-hosted", { state: { ...S3, endpoint: "https://s3.eu-central-1.example:9000" } }],
    [
      "eu-hosted",
      {
        engine: "kubernetes",
        custody: { kind: "aws-kms", keyId: "1234abcd-12ab-34cd-56ef-1234567890ab" },
        "pki.issuing": ISSUING_KMS,
      },
    ],
    ["customer-tenant", { state: S3, "images.mirror": "mirror.example:5000/hub", "egress.allow": [] }],
    ["air-gapped", { egress: { mode: "restricted" }, state: HTTP }],
    ["air-gapped", { state: HTTP }],
  ])("of %s is complete with what the fixes say, word for word", (profile, values) => {
    const lacking = refusals(profile, values).filter(({ path }) => path !== "egress.allow");
    expect(lacking.length).toBeGreaterThan(0);
    const said =
      (values["egress.allow"] as readonly object[] | undefined) ?? (profile === "air-gapped" ? [] : [REGISTRY]);
    const allow = [...said, ...lacking.map(({ fix }) => added(fix))];
    const mended = { ...values, egress: { mode: "restricted", allow } };
    const { "egress.allow": _, ...rest } = mended as Record<string, unknown>;
    expect(refusals(profile, rest)).toEqual([]);
    expect(brokenLines(profile, rest)).toEqual([]);
  });

  it.each<[keyof typeof LEAST_FILES, Values]>([
    ["air-gapped", { "images.source": "registry" }],
    ["air-gapped", { state: { backend: "http", address: "https://state.example" } }],
    ["air-gapped", { state: S3 }],
    ["eu-hosted", { state: { ...S3, region: "us-east-1" } }],
  ])("of %s is given no entry that the profile refuses", (profile, values) => {
    const [lacking] = refusals(profile, values);
    expect(lacking?.fix).toContain(`trustkern profile explain ${profile}`);
    expect(lacking?.fix).not.toContain("{");
  });

  it("names no host of AWS for what is no region of it", () => {
    const kms = { custody: { kind: "aws-kms", keyId: "1234abcd-12ab-34cd-56ef-1234567890ab" } };
    expect(refusals("air-gapped", kms)).toEqual([]);
  });

  it.each([
    ["a host with a port", { host: "ntp.internal:123" }, "host"],
    ["a URL", { host: "https://ntp.internal" }, "host"],
    ["a name with an empty label", { host: "ntp..internal" }, "host"],
    ["every host", { host: "*" }, "host"],
    ["port 0", { port: 0 }, "port"],
    ["a protocol that there is not", { protocol: "any" }, "protocol"],
    ["a purpose that nobody has", { purpose: "updates" }, "purpose"],
  ])("has no entry for %s", (_, changes, member) => {
    const allow = [{ ...host("ntp.internal", 123, "ntp"), ...changes }];
    const file = withValue(LEAST_FILES["air-gapped"], "egress", { mode: "restricted", allow });
    expect(() => parseDeploymentYaml(JSON.stringify(file), "f")).toThrow(new RegExp(`egress.allow.0.${member}`));
  });

  it("has no host twice", () => {
    const file = withValue(LEAST_FILES["eu-hosted"], "egress", {
      allow: [REGISTRY, { ...REGISTRY, purpose: "mirror" }],
    });
    expect(() => parseDeploymentYaml(JSON.stringify(file), "f")).toThrow(/egress\.allow/);
  });
});
