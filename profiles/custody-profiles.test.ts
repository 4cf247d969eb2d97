import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { PROFILE_NAMES, type ProfileName } from "../model/deployment.ts";
import { findingsOf } from "../model/findings.ts";
import type { Finding } from "../shared/finding.ts";
import { PROFILES } from "./index.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { renderScope } from "./profile.ts";
import { LEAST_FILES } from "./test-files.ts";

const ACCOUNT = "123456789012";
const TOKEN = { kind: "pkcs11", module: "/usr/lib/token.so", token: "custody", pinFile: "/etc/pin" };
const TPM = { kind: "tpm2", device: "/dev/tpmrm0" };
const KMS = { kind: "aws-kms", keyId: "1234abcd-12ab-34cd-56ef-1234567890ab" };
const ACCEPTED_SOFTWARE = { class: "software", acceptSoftware: "a pilot of two weeks" };
const SERVER = { kind: "vault", address: "https://10.1.2.3:8200", mount: "transit", key: "k", tokenFile: "/etc/token" };
const VAULT = { ...SERVER, ...ACCEPTED_SOFTWARE };
const FILE = { kind: "file", ...ACCEPTED_SOFTWARE };
const shares = (operator: string) => ({
  threshold: 2,
  holders: [
    { name: "a", operator: "customer" },
    { name: "b", operator },
  ],
});
const ESCROW = { escrow: shares("customer") };
const schedule = (rotateEvery: string, overlap: string) => ({ schedule: { rotateEvery, overlap } });

/** JSON is YAML. What the engine docker cannot reach, and what the list of egress has to name for it, are other rules'. */
function findings(profile: ProfileName, custody: object | undefined, hosting: object = {}): readonly Finding[] {
  const least = LEAST_FILES[profile];
  const place = profile === "dev" ? {} : { hosting: { ...Object(least.hosting), ...hosting } };
  const file = { ...least, ...place, engine: profile === "dev" ? "embedded" : "docker", custody };
  try {
    parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
  } catch (thrown) {
    return findingsOf(thrown).filter(({ code }) => code !== "CONFIG_ENGINE_KEYS" && code !== "CONFIG_EGRESS");
  }
  return [];
}
const brief = (...given: Parameters<typeof findings>) => findings(...given).map(({ code, path }) => `${code} ${path}`);

const ACCEPTED: readonly (readonly [ProfileName, string, object, object?])[] = [
  ...[FILE, TOKEN, TPM, VAULT, KMS, {}, { kind: "file" }].map(
    (place) => ["dev", JSON.stringify(place), place] as const,
  ),
  ["dev", "a schedule of minutes", schedule("10m", "1m")],
  ["dev", "a token that the authorities share", { ...TOKEN, token: "issuing" }],
  ["dev", "shares and grants of anybody", { escrow: shares("partner"), grants: [{ to: "x", operator: "trustkern" }] }],
  ...[TOKEN, TPM, VAULT, KMS].map((place) => ["eu-hosted", place.kind, place] as const),
  ["eu-hosted", "a virtual TPM", { ...TPM, class: "virtual" }],
  ["eu-hosted", "software with a reason", { ...TOKEN, ...ACCEPTED_SOFTWARE }],
  ["eu-hosted", "a KMS in another region of the EU", { ...KMS, region: "eu-north-1" }],
  ["eu-hosted", "a KMS in the sovereign region", { ...KMS, region: "eusc-de-east-1" }],
  ["eu-hosted", "a KMS where the hosting is none of AWS", { ...KMS, region: "eu-west-3" }, { region: "fsn1" }],
  ["eu-hosted", "the customer's account", { ...KMS, owner: "customer", account: "999999999999" }],
  ["eu-hosted", "shares of several parties", { ...TOKEN, escrow: shares("trustkern") }],
  ["eu-hosted", "the longest schedule", { ...TOKEN, ...schedule("365d", "90d") }],
  ["eu-hosted", "the shortest schedule", { ...TOKEN, ...schedule("30d", "72h") }],
  ...[FILE, TOKEN, TPM, VAULT, KMS].map(
    (place) => ["customer-tenant", place.kind, { ...place, owner: "customer" }] as const,
  ),
  ["customer-tenant", "its account, said again", { ...KMS, owner: "customer", account: ACCOUNT }],
  ["customer-tenant", "its own shares", { ...TOKEN, owner: "customer", escrow: shares("customer") }],
  ["customer-tenant", "its own grants", { ...KMS, owner: "customer", grants: [{ to: "x", operator: "customer" }] }],
  ["customer-tenant", "two years", { ...TOKEN, owner: "customer", ...schedule("730d", "90d") }],
  ...[FILE, TOKEN, TPM, VAULT].map((place) => ["air-gapped", place.kind, { ...place, ...ESCROW }] as const),
  ["air-gapped", "a server by its name on the site", { ...VAULT, ...ESCROW, address: "https://vault.plant.internal" }],
];

const REFUSED: readonly (readonly [ProfileName, string, object | undefined, readonly string[], object?])[] = [
  ["dev", "a file that is to be hardware", { kind: "file", class: "hardware" }, ["class"]],
  ["dev", "an overlap as long as the rest", schedule("1h", "60m"), ["schedule.overlap"]],
  ["eu-hosted", "silence", undefined, ["kind"]],
  ["eu-hosted", "a file", FILE, ["kind"]],
  ["eu-hosted", "a file without a class", { kind: "file" }, ["kind", "class"]],
  ["eu-hosted", "a server that is to be hardware", SERVER, ["class"]],
  ["eu-hosted", "a KMS in the United States", { ...KMS, region: "us-east-1" }, ["region"]],
  ["eu-hosted", "a KMS in London", { ...KMS, region: "eu-west-2" }, ["region"]],
  ["eu-hosted", "a KMS in Zurich", { ...KMS, region: "eu-central-2" }, ["region"]],
  ["eu-hosted", "a KMS in a region of another provider", KMS, ["region"], { region: "fsn1" }],
  ["eu-hosted", "nobody in particular", { ...TOKEN, owner: "self" }, ["owner"]],
  ["eu-hosted", "software without a reason", { ...TOKEN, class: "software" }, ["acceptSoftware"]],
  ["eu-hosted", "the token of the authorities", { ...TOKEN, token: "issuing" }, ["token"]],
  ["eu-hosted", "more than a year", { ...TOKEN, ...schedule("366d", "7d") }, ["schedule.rotateEvery"]],
  ["eu-hosted", "less than a month", { ...TOKEN, ...schedule("29d", "7d") }, ["schedule.rotateEvery"]],
  ["eu-hosted", "an overlap below 72 h", { ...TOKEN, ...schedule("90d", "71h") }, ["schedule.overlap"]],
  ["eu-hosted", "an overlap of half a year", { ...TOKEN, ...schedule("365d", "180d") }, ["schedule.overlap"]],
  ["eu-hosted", "an overlap longer than the rest", { ...TOKEN, ...schedule("30d", "31d") }, ["schedule.overlap"]],
  ["customer-tenant", "silence", undefined, ["kind", "owner"]],
  ["customer-tenant", "no word of who owns it", TOKEN, ["owner"]],
  ...["trustkern", "partner", "self"].map(
    (owner) => ["customer-tenant", `a token of ${owner}`, { ...TOKEN, owner }, ["owner"]] as const,
  ),
  ...["trustkern", "partner"].flatMap((operator) => [
    [
      "customer-tenant",
      `a share of ${operator}`,
      { ...TOKEN, owner: "customer", escrow: shares(operator) },
      ["escrow.holders.1.operator"],
    ] as const,
    [
      "customer-tenant",
      `a grant of ${operator}`,
      { ...KMS, owner: "customer", grants: [{ to: "arn:aws:iam::1:role/support", operator }] },
      ["grants.0.operator"],
    ] as const,
  ]),
  ["customer-tenant", "another account", { ...KMS, owner: "customer", account: "999999999999" }, ["account"]],
  ["customer-tenant", "a file without a class", { kind: "file", owner: "customer" }, ["class"]],
  [
    "customer-tenant",
    "software by silence",
    { ...FILE, acceptSoftware: undefined, owner: "customer" },
    ["acceptSoftware"],
  ],
  ["customer-tenant", "the authorities' token", { ...TOKEN, owner: "customer", token: "issuing" }, ["token"]],
  [
    "customer-tenant",
    "three years",
    { ...TOKEN, owner: "customer", ...schedule("1095d", "7d") },
    ["schedule.rotateEvery"],
  ],
  ["customer-tenant", "an hour", { ...TOKEN, owner: "customer", ...schedule("90d", "1h") }, ["schedule.overlap"]],
  ["customer-tenant", "all of it", { ...TOKEN, owner: "customer", ...schedule("80d", "80d") }, ["schedule.overlap"]],
  ["air-gapped", "silence", undefined, ["kind", "escrow"]],
  ["air-gapped", "keys that nobody could restore", TOKEN, ["escrow"]],
  ["air-gapped", "a KMS", { ...ESCROW, ...KMS, region: "eu-central-1" }, ["kind"]],
  [
    "air-gapped",
    "a server on the Internet",
    { ...ESCROW, ...VAULT, address: "https://vault.example.com" },
    ["address"],
  ],
  ["air-gapped", "a public address", { ...ESCROW, ...VAULT, address: "https://8.8.8.8" }, ["address"]],
  ["air-gapped", "another's token", { ...ESCROW, ...TOKEN, owner: "trustkern" }, ["owner"]],
  ["air-gapped", "another's share", { ...TOKEN, escrow: shares("trustkern") }, ["escrow.holders.1.operator"]],
  [
    "air-gapped",
    "another's grant",
    { ...ESCROW, ...VAULT, grants: [{ to: "x", operator: "partner" }] },
    ["grants.0.operator"],
  ],
  ["air-gapped", "a file by silence", { ...ESCROW, kind: "file" }, ["class"]],
  ["air-gapped", "software without a reason", { ...ESCROW, kind: "file", class: "software" }, ["acceptSoftware"]],
  ["air-gapped", "the authorities' token", { ...ESCROW, ...TOKEN, token: "issuing" }, ["token"]],
  ["air-gapped", "a fortnight", { ...ESCROW, ...TOKEN, ...schedule("14d", "72h") }, ["schedule.rotateEvery"]],
  ["air-gapped", "a day of overlap", { ...ESCROW, ...TOKEN, ...schedule("90d", "1d") }, ["schedule.overlap"]],
  [
    "air-gapped",
    "an overlap as long as the rest",
    { ...ESCROW, ...TOKEN, ...schedule("30d", "30d") },
    ["schedule.overlap"],
  ],
];

it.each(ACCEPTED.map(([profile, what, ...said]) => [profile, what, said] as const))(
  "%s accepts %s",
  (profile, _, said) => {
    expect(brief(profile, ...said)).toEqual([]);
  },
);

describe("what lies outside of the boundary", () => {
  it.each(REFUSED.map(([profile, what, ...said]) => [profile, what, said] as const))(
    "%s refuses %s",
    (profile, _, said) => {
      const [custody, members, hosting] = said;
      const found = findings(profile, custody, hosting);
      expect([...new Set(found.map(({ code, path }) => `${code} ${path}`))].sort()).toEqual(
        members.map((member) => `CONFIG_PROFILE custody.${member}`).sort(),
      );
      for (const { fix } of found) expect(fix).toBeTruthy();
    },
  );

  it("is reported all at once", () => {
    const everything = {
      ...KMS,
      ...{ owner: "partner", account: "999999999999", class: "software", escrow: shares("trustkern") },
      ...{
        grants: [
          { to: "a", operator: "customer" },
          { to: "b", operator: "trustkern" },
        ],
        ...schedule("1d", "1h"),
      },
    };
    expect(brief("customer-tenant", everything).sort()).toEqual(
      [
        ...["acceptSoftware", "account", "escrow.holders.1.operator", "grants.1.operator", "owner"],
        ...["schedule.overlap", "schedule.rotateEvery"],
      ].map((member) => `CONFIG_PROFILE custody.${member}`),
    );
  });

  // A line that no case breaks is one that nobody has seen to hold.
  it("is kept out by every line of every profile", () => {
    const said = REFUSED.flatMap(([profile, _, custody, __, hosting]) =>
      findings(profile, custody, hosting).map(({ message }) => `${profile} ${message}`),
    );
    for (const name of PROFILE_NAMES) {
      const lines = PROFILES[name].constraints.filter(({ path }) => path.startsWith("custody."));
      const silent = lines.filter(
        ({ reason }) => !said.some((each) => each.startsWith(`${name} `) && each.endsWith(reason)),
      );
      expect(silent.map(renderScope), name).toEqual([]);
    }
  });
});

it("accepts what the guide shows", () => {
  const shown = [...readFileSync("docs/guides/custody.md", "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)];
  expect(shown).toHaveLength(5);
  for (const [, yaml = ""] of shown) {
    const { custody } = parse(yaml);
    expect(findings("customer-tenant", { owner: "customer", ...custody }, { region: "eu-central-1" }), yaml).toEqual(
      [],
    );
  }
});

describe("a refusal", () => {
  it("says what was said, what is accepted, why, and what to do", () => {
    const [finding] = findings("eu-hosted", { ...KMS, region: "us-east-1" });
    expect(finding?.message).toMatch(
      /^"us-east-1", but profile eu-hosted accepts: eu-central-1, .*, because who can be/,
    );
    expect(finding?.fix).toBe("choose an accepted value, or another profile");
  });

  it("asks for what is not said", () => {
    const [finding] = findings("eu-hosted", KMS, { region: "hel1" });
    expect(finding).toMatchObject({ path: "custody.region", fix: "add custody.region" });
    expect(finding?.message).toMatch(/^"hel1", but/);
  });

  it("is not said again of what the form has refused", () => {
    const escrow = { threshold: 2, holders: [{ name: "a" }, { name: "b", operator: "nobody" }] };
    expect(brief("customer-tenant", { ...TOKEN, owner: "customer", escrow }).sort()).toEqual([
      "CONFIG_MISSING custody.escrow.holders.0.operator",
      "CONFIG_VALUE custody.escrow.holders.1.operator",
    ]);
    expect(
      brief("air-gapped", { ...ACCEPTED_SOFTWARE, ...ESCROW, kind: "vault", mount: "t", key: "k", tokenFile: "/t" }),
    ).toEqual(["CONFIG_MISSING custody.address"]);
  });
});
