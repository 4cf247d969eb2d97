import { describe, expect, it } from "vitest";
import * as stores from "../custody/backends/key-store.ts";
import { CUSTODY_CLASSES, CUSTODY_KINDS } from "../model/custody.ts";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { defaultDeployment, resolveDeployment } from "./resolve.ts";

const DEV = { name: "demo", tenant: "acme", profile: "dev" };
const KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const TOKEN = { kind: "pkcs11", module: "/usr/lib/token.so", token: "acme", pinFile: "/etc/pin" };
const TPM = { kind: "tpm2", device: "/dev/tpmrm0" };
const VAULT = { kind: "vault", address: "https://vault.internal:8200", mount: "transit", key: "k", tokenFile: "/t" };
const KMS = { kind: "aws-kms", keyId: KEY_ID, region: "eu-west-1" };
const RECIPIENT = `age1${"q".repeat(58)}`;
const holders = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `h${index}`, operator: "customer" }));

/** What the engine reaches is another rule's. */
const wrong = (custody: unknown, more: object = {}): readonly string[] => {
  try {
    parseDeploymentYaml(JSON.stringify({ ...DEV, ...more, custody }), "trustkern.yaml");
  } catch (thrown) {
    const findings = findingsOf(thrown).filter(({ code }) => code !== "CONFIG_ENGINE_KEYS");
    return findings.map(({ code, path }) => `${code} ${path}`);
  }
  return [];
};
const parse = (custody: object, more: object = {}) => {
  expect(wrong(custody, more)).toEqual([]);
  return resolveDeployment({ ...DEV, ...more, custody } as Parameters<typeof resolveDeployment>[0]).custody;
};

it("has the kinds and classes that custody has", () => {
  expect(CUSTODY_KINDS).toEqual(stores.KEY_STORE_KINDS);
  expect(CUSTODY_CLASSES).toEqual(stores.CUSTODY_CLASSES);
});

describe("custody", () => {
  it("is a file of whoever runs it where a development deployment says nothing", () => {
    expect(defaultDeployment().custody).toEqual({
      kind: "file",
      leastClass: "software",
      owner: "self",
      schedule: { rotateEverySeconds: 7_776_000, overlapSeconds: 604_800, destroyAfterSeconds: 31_536_000 },
      grants: [],
    });
    expect(parse({})).toEqual(defaultDeployment().custody);
  });

  it("has what its kind needs, and the defaults of what it may say", () => {
    expect(parse(TOKEN)).toMatchObject({ ...TOKEN, keyPrefix: "demo" });
    expect(parse(TPM)).toMatchObject({ ...TPM, pcrs: "sha256:0,2,4,7" });
    expect(parse({ ...TPM, pcrs: "sha256:7,11" })).toMatchObject({ pcrs: "sha256:7,11" });
    expect(parse(VAULT)).toMatchObject(VAULT);
    expect(parse({ ...VAULT, caFile: "/ca.pem" })).toMatchObject({ caFile: "/ca.pem" });
    expect(parse(KMS)).toMatchObject({ kind: "aws-kms", region: "eu-west-1", keyId: KEY_ID, account: "local" });
  });

  it.each([
    ["eu-west-1", "aws"],
    ["eusc-de-east-1", "aws-eusc"],
    ["us-gov-east-1", "aws-us-gov"],
    ["cn-north-1", "aws-cn"],
  ])("names a key of an account in %s by its ARN", (region, partition) => {
    const keyId = `arn:${partition}:kms:${region}:123456789012:key/${KEY_ID}`;
    expect(parse({ ...KMS, region, account: "123456789012" })).toMatchObject({ region, keyId });
  });

  it("takes part of a schedule from its profile", () => {
    expect(parse({ schedule: { rotateEvery: "30d" } }).schedule).toMatchObject({
      rotateEverySeconds: 2_592_000,
      overlapSeconds: 604_800,
    });
  });

  it.each([
    ["rows are kept longest", { telemetry: "90d", raw: "30d" }, 7_776_000],
    ["envelopes are kept longest", { telemetry: "1d", raw: "45d" }, 3_888_000],
  ])("destroys no generation before retention has passed, where %s", (_, retention, seconds) => {
    expect(parse({}, { retention }).schedule.destroyAfterSeconds).toBe(seconds);
  });

  it("keeps who has shares and grants", () => {
    const escrow = { threshold: 2, holders: [...holders(2), { name: "x", operator: "partner", recipient: RECIPIENT }] };
    const grants = [{ to: "arn:aws:iam::123456789012:role/custody", operator: "trustkern" }];
    expect(parse({ escrow, grants })).toMatchObject({ escrow, grants });
    expect(wrong({ escrow: { threshold: 255, holders: holders(255) } })).toEqual([]);
  });
});

const escrow = (threshold: number, ...more: readonly object[]) => ({
  escrow: { threshold, holders: [...holders(2), ...more] },
});

it.each([
  ["a kind that there is not", { kind: "hsm" }, ["CONFIG_VALUE custody.kind"]],
  ["a KMS that is to come", { kind: "gcp-kms" }, ["CONFIG_VALUE custody.kind"]],
  ["a text", "file", ["CONFIG_VALUE custody"]],
  ["a token without its PIN's file", { ...TOKEN, pinFile: undefined }, ["CONFIG_MISSING custody.pinFile"]],
  ["a token without a label", { ...TOKEN, token: undefined }, ["CONFIG_MISSING custody.token"]],
  ["a PIN in place of its file", { ...TOKEN, pin: "1234" }, ["CONFIG_UNKNOWN_KEY custody.pin"]],
  ["a passphrase", { kind: "file", passphrase: "secret" }, ["CONFIG_UNKNOWN_KEY custody.passphrase"]],
  ["a token of the server", { ...VAULT, secret: "hvs.x" }, ["CONFIG_UNKNOWN_KEY custody.secret"]],
  ["a member of another kind", { ...TOKEN, device: "/dev/tpmrm0" }, ["CONFIG_VALUE custody.device"]],
  ["a member without a kind", { module: "/m.so" }, ["CONFIG_VALUE custody.module"]],
  ["a TPM without a device", { ...TPM, device: undefined }, ["CONFIG_MISSING custody.device"]],
  ["a relative path", { ...TPM, device: "tpmrm0" }, ["CONFIG_VALUE custody.device"]],
  ["a folder, which custody has of its own", { ...TPM, folder: "/k" }, ["CONFIG_UNKNOWN_KEY custody.folder"]],
  ["PCRs of a bank that is broken", { ...TPM, pcrs: "sha1:0,7" }, ["CONFIG_VALUE custody.pcrs"]],
  ["a PCR that there is not", { ...TPM, pcrs: "sha256:24" }, ["CONFIG_VALUE custody.pcrs"]],
  ["no PCR at all", { ...TPM, pcrs: "sha256:" }, ["CONFIG_VALUE custody.pcrs"]],
  ["a server without TLS", { ...VAULT, address: "http://vault.internal" }, ["CONFIG_VALUE custody.address"]],
  ["credentials in a URL", { ...VAULT, address: "https://a:b@vault.internal" }, ["CONFIG_VALUE custody.address"]],
  ["a path in a URL", { ...VAULT, address: "https://vault.internal/x" }, ["CONFIG_VALUE custody.address"]],
  ["a mount that climbs", { ...VAULT, mount: "transit/../sys" }, ["CONFIG_VALUE custody.mount"]],
  ["a key that is a path", { ...VAULT, key: "a/b" }, ["CONFIG_VALUE custody.key"]],
  ["a KMS without a key", { kind: "aws-kms" }, ["CONFIG_MISSING custody.keyId"]],
  ["an alias, which points anywhere", { ...KMS, keyId: "alias/custody" }, ["CONFIG_VALUE custody.keyId"]],
  ["an ARN", { ...KMS, keyId: `arn:aws:kms:us-east-1:1:key/${KEY_ID}` }, ["CONFIG_VALUE custody.keyId"]],
  ["a multi-Region key", { ...KMS, keyId: `mrk-${KEY_ID.replaceAll("-", "")}` }, ["CONFIG_VALUE custody.keyId"]],
  ["an account of 11 digits", { ...KMS, account: "12345678901" }, ["CONFIG_VALUE custody.account"]],
  ["a class that there is not", { class: "hsm" }, ["CONFIG_VALUE custody.class"]],
  ["a reason without its class", { acceptSoftware: "it is a pilot" }, ["CONFIG_VALUE custody.acceptSoftware"]],
  [
    "a reason with a better class",
    { ...TOKEN, class: "hardware", acceptSoftware: "it is a pilot" },
    ["CONFIG_VALUE custody.acceptSoftware"],
  ],
  ["a reason of one word", { class: "software", acceptSoftware: "yes" }, ["CONFIG_VALUE custody.acceptSoftware"]],
  [
    "a reason of two lines",
    { class: "software", acceptSoftware: "it is a pilot\nstatus: ok" },
    ["CONFIG_VALUE custody.acceptSoftware"],
  ],
  ["an owner that is nobody", { owner: "acme" }, ["CONFIG_VALUE custody.owner"]],
  ["a duration without a unit", { schedule: { rotateEvery: 90 } }, ["CONFIG_VALUE custody.schedule.rotateEvery"]],
  ["no time at all", { schedule: { overlap: "0d" } }, ["CONFIG_VALUE custody.schedule.overlap"]],
  [
    "a destruction of one's own",
    { schedule: { destroyAfter: "1d" } },
    ["CONFIG_UNKNOWN_KEY custody.schedule.destroyAfter"],
  ],
  ["one share of several", escrow(1), ["CONFIG_VALUE custody.escrow.threshold"]],
  ["more shares than holders", escrow(3), ["CONFIG_VALUE custody.escrow.threshold"]],
  ["an escrow without holders", { escrow: { threshold: 2 } }, ["CONFIG_MISSING custody.escrow.holders"]],
  [
    "a single holder",
    { escrow: { threshold: 2, holders: holders(1) } },
    ["CONFIG_VALUE custody.escrow.threshold", "CONFIG_VALUE custody.escrow.holders"],
  ],
  ["256 holders", { escrow: { threshold: 2, holders: holders(256) } }, ["CONFIG_VALUE custody.escrow.holders"]],
  ["a holder named twice", escrow(2, holders(1)[0] ?? {}), ["CONFIG_VALUE custody.escrow.holders"]],
  [
    "two holders with one identity",
    escrow(2, ...["x", "y"].map((name) => ({ name, operator: "customer", recipient: RECIPIENT }))),
    ["CONFIG_VALUE custody.escrow.holders"],
  ],
  [
    "a name that is a path",
    escrow(2, { name: "../x", operator: "customer" }),
    ["CONFIG_VALUE custody.escrow.holders.2.name"],
  ],
  [
    "an identity in place of a recipient",
    escrow(2, { name: "x", operator: "customer", recipient: `AGE-SECRET-KEY-1${"Q".repeat(58)}` }),
    ["CONFIG_VALUE custody.escrow.holders.2.recipient"],
  ],
  ["a holder of nobody", escrow(2, { name: "x" }), ["CONFIG_MISSING custody.escrow.holders.2.operator"]],
  ["a grant of nobody", { grants: [{ to: "role" }] }, ["CONFIG_MISSING custody.grants.0.operator"]],
  ["a grant to white space", { grants: [{ to: "a b", operator: "customer" }] }, ["CONFIG_VALUE custody.grants.0.to"]],
])("refuses %s", (_, custody, findings) => {
  expect(wrong(custody)).toEqual(findings);
});

it.each([
  [
    "an age identity",
    "AGE-SECRET-KEY-1QQQQ",
    escrow(2, { name: "x", operator: "customer", recipient: "AGE-SECRET-KEY-1QQQQ" }),
  ],
  ["a PIN", "7391046", { ...TOKEN, pinFile: "7391046" }],
  ["a PIN as a number", "7391046", { ...TOKEN, pinFile: 7391046 }],
  ["a server's token", "hvs.CAESIJ", { ...VAULT, tokenFile: "hvs.CAESIJ" }],
  ["a private key", "PRIVATE KEY", { ...VAULT, caFile: "-----BEGIN PRIVATE KEY-----" }],
])("never prints %s that stands where its file belongs", (_, secret, custody) => {
  let report = "";
  try {
    parseDeploymentYaml(JSON.stringify({ ...DEV, custody }), "trustkern.yaml");
  } catch (thrown) {
    report = String(thrown);
  }
  expect(report).toContain("CONFIG_VALUE");
  expect(report).not.toContain(secret);
});
