import { describe, expect, it } from "vitest";
import { PROFILE_NAMES, type ProfileName } from "../model/deployment.ts";
import { findingsOf } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { PROFILES } from "./index.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { type Constraint, renderScope } from "./profile.ts";
import { LEAST_FILES, withValue } from "./test-files.ts";

type Values = Readonly<Record<string, unknown>>;
const REGISTRY = { host: "registry.example", port: 443, protocol: "tcp", purpose: "images", region: "eu-central-1" };
const entry = (changes: object) => ({ ...REGISTRY, ...changes });
const SITE = entry({ host: "ntp.internal", port: 123, protocol: "udp", purpose: "ntp" });
const ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const KMS = { kind: "aws-kms", keyId: ID, owner: "customer" };
const SERVER = { kind: "vault", mount: "transit", key: "k", tokenFile: "/etc/token", class: "software" };
const VAULT = {
  ...SERVER,
  acceptSoftware: "a pilot of two weeks",
  address: "https://vault.internal",
  owner: "customer",
};
const ESCROW = {
  threshold: 2,
  holders: [
    { name: "a", operator: "customer" },
    { name: "b", operator: "customer" },
  ],
};
const FOREIGN = { ...ESCROW, holders: [...ESCROW.holders, { name: "c", operator: "partner" }] };
const ISSUING_KMS = { kind: "aws-kms", keys: { services: "a", gateways: "b", operators: "c" } };
const BUCKET = { backend: "s3", bucket: "abc", key: "k" };
const GRANT = { access: "granted", to: "partner", from: "2027-03-01T08:00:00Z", reason: "the broker loses sessions" };

/** What a file says to be of the engine kubernetes, where Vault wraps the keys and authorities elsewhere issue. */
const AUTHORITY = { host: "ca.internal", addresses: ["10.0.2.0/24"] };
const IN_CLUSTER = {
  engine: "kubernetes",
  "kubernetes.keys": { namespace: "vault", labels: { app: "vault" } },
  "kubernetes.external.gateways-ca": AUTHORITY,
  "kubernetes.external.operators-ca": AUTHORITY,
};
const VAULT_HOST = { host: "vault.internal", port: 443, protocol: "tcp", purpose: "keys", region: "eu-central-1" };
const ON_KUBERNETES = { ...IN_CLUSTER, custody: VAULT, "egress.allow": [REGISTRY, VAULT_HOST] };
const { region: _, ...VAULT_ON_SITE } = VAULT_HOST;
const IN_CLUSTER_ON_SITE = {
  ...IN_CLUSTER,
  custody: { ...VAULT, escrow: ESCROW },
  egress: { mode: "restricted", allow: [VAULT_ON_SITE] },
};

/** What breaks a line, by its path and what it depends on, where the rule alone does not say it. */
const BREAKS: Readonly<Record<string, (profile: ProfileName) => Values>> = {
  "hosting.operator": (profile) => ({ "hosting.operator": profile === "eu-hosted" ? "customer" : "partner" }),
  "hosting.region": (profile) => ({ "hosting.region": profile === "customer-tenant" ? undefined : "eu-west-2" }),
  "hosting.account": (profile) => ({
    "hosting.account": PROFILES[profile].defaults.hosting?.account ? "1" : undefined,
  }),
  "pki.issuing.kind": () => ({ "pki.issuing": { kind: "file" } }),
  "pki.issuing.region (with pki.issuing.kind aws-kms)": () => ({
    "pki.issuing": { ...ISSUING_KMS, region: "us-east-1" },
  }),
  "custody.kind": (profile) => ({
    custody:
      profile === "customer-tenant"
        ? { owner: "customer" }
        : {
            ...(profile === "air-gapped"
              ? { ...KMS, escrow: ESCROW }
              : { kind: "file", class: "software", acceptSoftware: "a pilot of two weeks" }),
          },
  }),
  "custody.region (with custody.kind aws-kms)": () => ({ custody: { ...KMS, region: "us-east-1" } }),
  "custody.account (with custody.kind aws-kms)": () => ({ custody: { ...KMS, account: "999999999999" } }),
  "custody.address (with custody.kind vault)": () => ({
    custody: { ...VAULT, escrow: ESCROW, address: "https://8.8.8.8" },
  }),
  "custody.class (with custody.kind file or vault)": () => ({
    custody: { ...VAULT, class: "hardware", acceptSoftware: undefined, escrow: ESCROW },
  }),
  "custody.acceptSoftware (with custody.class software)": () => ({
    custody: { ...VAULT, acceptSoftware: undefined, escrow: ESCROW },
  }),
  "custody.token (with custody.kind pkcs11)": () => ({ "custody.token": "issuing" }),
  "custody.owner": (profile) => ({ "custody.owner": profile === "eu-hosted" ? "self" : "partner" }),
  "custody.escrow": () => ({ "custody.escrow": undefined }),
  "custody.escrow.holders.*.operator": () => ({ "custody.escrow": FOREIGN }),
  "custody.grants.*.operator": () => ({ "custody.grants": [{ to: "x", operator: "trustkern" }] }),
  "custody.schedule.overlap": (profile) => ({
    "custody.schedule": { rotateEvery: profile === "dev" ? "1h" : "30d", overlap: profile === "dev" ? "1h" : "30d" },
  }),
  "egress.allow.*.region": () => ({ "egress.allow": [REGISTRY, entry({ host: "ntp.example", region: "us-east-1" })] }),
  "egress.allow.*.host": (profile) => ({
    egress:
      profile === "air-gapped"
        ? { mode: "restricted", allow: [{ ...SITE, host: "ntp.example" }] }
        : { mode: "restricted", allow: [REGISTRY, entry({ host: "s3.us-east-1.amazonaws.com" })] },
  }),
  "kubernetes.external.database.region (with engine kubernetes)": () => ({
    ...ON_KUBERNETES,
    "kubernetes.external.database": { host: "db.internal", addresses: ["10.0.0.0/24"], region: "us-east-2" },
  }),
  "kubernetes.external.database.host": (profile) => ({
    ...(profile === "air-gapped" ? IN_CLUSTER_ON_SITE : ON_KUBERNETES),
    "kubernetes.external.database": {
      host: profile === "air-gapped" ? "db.example" : "db.us-east-1.rds.amazonaws.com",
      addresses: ["10.0.0.0/24"],
    },
  }),
  "kubernetes.publish.from": () => ({
    ...IN_CLUSTER_ON_SITE,
    "kubernetes.publish.from": ["10.0.0.0/8", "10.0.0.0/7"],
  }),
  "docker.publishAddress": () => ({ "docker.publishAddress": "0.0.0.0" }),
  "state.endpoint (with state.backend s3)": () => ({
    state: { ...BUCKET, region: "eu-central-1", endpoint: "https://s3.us-east-1.amazonaws.com" },
  }),
  "egress.allow.*.purpose": () => ({ egress: { mode: "restricted", allow: [{ ...SITE, purpose: "images" }] } }),
  "egress.mode": () => ({ egress: { mode: "open" } }),
  "images.source": (profile) => ({ "images.source": profile === "air-gapped" ? "registry" : "packages" }),
  "images.signedBy": () => ({ "images.signedBy": undefined }),
  "images.mirror": (profile) => ({
    "images.mirror": profile === "eu-hosted" ? "1.dkr.ecr.us-east-1.amazonaws.com" : undefined,
  }),
  "support.access": (profile) => ({
    support: profile === "customer-tenant" ? { access: "operators" } : { ...GRANT, until: "2027-03-02T08:00:00Z" },
  }),
  "support.until (with support.access granted)": () => ({ support: { ...GRANT, until: "2027-03-08T08:00:01Z" } }),
  "telemetry.vendor": () => ({ "telemetry.vendor": "metrics" }),
  "state.region (with state.backend s3)": () => ({
    state: { backend: "s3", bucket: "abc", key: "k", region: "us-east-1" },
  }),
  "state.backend": () => ({ state: { backend: "s3", bucket: "abc", key: "k", region: "eu-west-1" } }),
  "state.address (with state.backend http)": () => ({ state: { backend: "http", address: "https://state.example" } }),
  engine: (profile) => ({ engine: profile === "dev" ? "kubernetes" : "embedded" }),
};

/** Which one of several lines of a path a value is to break, beside the others. */
const OTHERWISE: Readonly<Record<string, Values>> = {
  "shorter than custody.schedule.rotateEvery": { "custody.schedule": { rotateEvery: "30d", overlap: "30d" } },
  "72h to 90d": { "custody.schedule": { rotateEvery: "90d", overlap: "71h" } },
  "no longer than retention.telemetry": { retention: { telemetry: "2d", raw: "3d" } },
};

function breakingValues(line: Constraint, profile: ProfileName): Values {
  const { rule, path } = line;
  const said = BREAKS[renderScope(line)];
  if (rule.kind === "shorter-than" || (rule.kind === "lasts" && path.endsWith("overlap"))) {
    return OTHERWISE[rule.kind === "lasts" ? "72h to 90d" : `shorter than ${rule.path}`] ?? {};
  }
  if (rule.kind === "registry-apart-from") return { [path]: "docker.io" };
  if (rule.kind === "no-longer-than") return OTHERWISE[`no longer than ${rule.path}`] ?? {};
  if (said !== undefined) return said(profile);
  if (rule.kind === "lasts")
    return {
      [path]: `${Number.parseInt(rule.max, 10) + 1}d`,
      ...(path === "retention.raw" ? { "retention.telemetry": rule.max } : {}),
    };
  if (rule.kind === "one-of") return { [path]: 1 };
  return rule.kind === "between" ? { [path]: rule.max + 1 } : {};
}

const fileOf = (profile: ProfileName, values: Values): object =>
  Object.entries(values).reduce<object>((file, [path, value]) => withValue(file, path, value), LEAST_FILES[profile]);

function refusals(file: object): readonly Finding[] {
  try {
    parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
  } catch (thrown) {
    return findingsOf(thrown);
  }
  return [];
}

const WILD = /\.\d+\./g;

describe.each(PROFILE_NAMES)("profile %s", (profile) => {
  it("accepts the least that it asks for", () => {
    expect(refusals(LEAST_FILES[profile])).toEqual([]);
  });

  it.each(PROFILES[profile].constraints.map((line) => [`${renderScope(line)} ${line.rule.kind}`, line] as const))(
    "refuses what breaks %s, and nothing else of it",
    (_, line) => {
      const found = refusals(fileOf(profile, breakingValues(line, profile)));
      const ours = found.filter(({ code }) => code === "CONFIG_PROFILE");
      expect(ours.map(({ path }) => path.replace(WILD, ".*."))).toContain(line.path);
      const [broken] = ours.filter(({ message }) => message.endsWith(line.reason));
      expect(broken?.message).toContain(`profile ${profile} accepts: `);
      expect(broken?.fix).toBeTruthy();
      expect([...new Set(ours.map(({ path }) => path.replace(WILD, ".*.")))]).toEqual([line.path]);
    },
  );
});

it("reports all of it at once, each with its path, place and fix", () => {
  const values: Values = {
    ...{ "hosting.operator": "customer", "hosting.region": "us-east-1", "hosting.account": undefined },
    ...{ engine: "embedded", "custody.owner": "self", "simulator.sensors": 3, "retention.telemetry": "4000d" },
    ...{ "images.signedBy": undefined, "egress.mode": "isolated", "support.access": "granted" },
    ...{ state: { backend: "http", address: "https://state.example" }, telemetry: { vendor: "all" } },
  };
  const found = refusals({ ...fileOf("eu-hosted", values), engine: "docker" });
  expect(found.map(({ code, path }) => `${code} ${path}`).sort()).toEqual(
    [
      ...["custody.owner", "hosting.account", "hosting.operator", "hosting.region", "images.signedBy"].map(
        (path) => `CONFIG_PROFILE ${path}`,
      ),
      ...["retention.telemetry", "simulator.sensors", "support.access"].map((path) => `CONFIG_PROFILE ${path}`),
      ...["egress.allow", "state.address"].map((path) => `CONFIG_EGRESS ${path}`),
      ...["from", "reason", "to", "until"].map((member) => `CONFIG_SUPPORT support.${member}`),
      "CONFIG_VALUE telemetry.vendor",
    ].sort(),
  );
  for (const { fix, line } of found) expect([fix.length > 0, line]).toEqual([true, 1]);
});

describe("what only looks as if it kept a line is refused", () => {
  const brokenBy = (profile: ProfileName, values: Values) =>
    refusals(fileOf(profile, values)).map(({ code, path }) => `${code} ${path}`);
  const at = (host: string) => ({ "egress.allow": [REGISTRY, entry({ host, purpose: "siem" })] });

  it.each(["docker.io", "Docker.IO", "registry-1.docker.io", "docker.io:443/hub", "hub.docker.com"])(
    "customer-tenant: the mirror %s",
    (mirror) => {
      expect(brokenBy("customer-tenant", { "images.mirror": mirror })).toContain("CONFIG_PROFILE images.mirror");
    },
  );

  it.each<[ProfileName, string]>([
    ["eu-hosted", "hosting.account"],
    ["customer-tenant", "hosting.account"],
    ["customer-tenant", "hosting.region"],
  ])("%s: %s local", (profile, path) => {
    expect(brokenBy(profile, { [path]: "local" })).toEqual([`CONFIG_PROFILE ${path}`]);
  });

  it.each(["s3.us-east-1.amazonaws.com", "s3.amazonaws.com", "logs.eu-west-1.amazonaws.com", "x.ap-south-1.example"])(
    "eu-hosted: the host %s, declared to be in eu-central-1",
    (host) => {
      expect(brokenBy("eu-hosted", at(host))).toEqual(["CONFIG_PROFILE egress.allow.1.host"]);
    },
  );

  it("eu-hosted: and not the hosts of the region that is declared, or of none", () => {
    for (const host of ["logs.eu-central-1.amazonaws.com", "logs.example"])
      expect(brokenBy("eu-hosted", at(host))).toEqual([]);
    expect(
      brokenBy("eu-hosted", {
        "images.mirror": "1.dkr.ecr.eu-west-1.amazonaws.com",
        "egress.allow": [entry({ host: "1.dkr.ecr.eu-west-1.amazonaws.com", region: "eu-west-1" })],
      }),
    ).toEqual([]);
  });

  it("air-gapped: issuing keys in a KMS, on any engine", () => {
    const found = brokenBy("air-gapped", {
      engine: "kubernetes",
      "pki.issuing": { ...ISSUING_KMS, region: "eu-west-1" },
    });
    expect(found).toContain("CONFIG_PROFILE pki.issuing.kind");
  });

  it.each([
    ["0.0.0.0", 1],
    ["8.8.8.8", 1],
    ["169.254.169.254", 1],
    ["172.32.0.1", 1],
    ["127.0.0.1", 0],
    ["192.168.7.9", 0],
    ["10.0.0.5", 0],
  ])("air-gapped: publishes at %s: %d breaches", (publishAddress, breaches) => {
    expect(brokenBy("air-gapped", { docker: { publishAddress } })).toHaveLength(breaches);
  });
});
