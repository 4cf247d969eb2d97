import {
  ASSURED_OUTSIDE_DEV,
  componentsLine,
  DATABASE_IN_REGION,
  DEFAULTS_OUTSIDE_DEV,
  ENGINES_THAT_ISOLATE,
  metricsAlone,
  NO_SIMULATOR,
  onlineKeysIn,
  retentionLines,
} from "./common-lines.ts";
import { custodyOutsideDev } from "./custody-lines.ts";
import { AWS_EU_REGIONS, EU_REGIONS } from "./eu-regions.ts";
import type { Profile } from "./profile.ts";

const ABSENT = ["grafana", "simulator"] as const;

/** Operated for a tenant, inside the European Union. */
export const euHosted: Profile = {
  name: "eu-hosted",
  summary: "operated by TrustKern or a partner for one tenant, in one region of the European Union or the EEA",
  constraints: [
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["trustkern", "partner"] },
      reason: "this profile is the hosted one; a customer who operates it takes customer-tenant",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "required", but: "local" },
      reason: "one account for each tenant, so that no other tenant's operator can reach the boundary",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "one-of", values: EU_REGIONS },
      reason: "plaintext and decryption keys stay where the GDPR is law, in a state of the European Union or the EEA",
    },
    {
      topic: "region",
      path: "pki.issuing.region",
      when: { path: "pki.issuing.kind", values: ["aws-kms"] },
      rule: { kind: "one-of", values: AWS_EU_REGIONS },
      reason: "who can be ordered to sign with the KMS can make identities, so it is in a member state of the Union",
    },
    {
      topic: "custody",
      path: "custody.kind",
      rule: { kind: "one-of", values: ["pkcs11", "tpm2", "vault", "aws-kms"] },
      reason: "a file of keys beside the data goes wherever a copy of the disk goes, and its passphrase with it",
    },
    {
      topic: "custody",
      path: "custody.region",
      when: { path: "custody.kind", values: ["aws-kms"] },
      orElse: "hosting.region",
      rule: { kind: "one-of", values: AWS_EU_REGIONS },
      reason: "who can be ordered to open the KMS can decrypt, so it is in a member state of the European Union",
    },
    {
      topic: "custody",
      path: "custody.owner",
      rule: { kind: "one-of", values: ["trustkern", "customer", "partner"] },
      reason: "evidence names who controls the place of the keys",
    },
    ...custodyOutsideDev(
      "365d",
      "of the two years that NIST SP 800-57 part 1 allows, one: who steals a generation opens what was sent in its time",
    ),
    {
      topic: "egress",
      path: "egress.mode",
      rule: { kind: "one-of", values: ["isolated", "restricted"] },
      reason: "what nobody has named is not to be reached from the host that has the plaintext",
    },
    {
      topic: "egress",
      path: "egress.allow.*.region",
      rule: { kind: "one-of", values: EU_REGIONS },
      reason: "what the host tells a registry, a state or a log server stays where the GDPR is law, too",
    },
    {
      topic: "egress",
      path: "egress.allow.*.host",
      rule: { kind: "names-region-of", path: "egress.allow.*.region" },
      reason: "a host that names its region in its name lies there, whatever is written beside it",
    },
    {
      topic: "images",
      path: "images.mirror",
      rule: { kind: "names-region-among", values: AWS_EU_REGIONS },
      reason: "who serves the images sees when, where and what is deployed, and that stays where the GDPR is law",
    },
    {
      topic: "images",
      path: "images.source",
      rule: { kind: "one-of", values: ["registry"] },
      reason:
        "the operator runs what was released and nothing that a host has built, so that two hosts run the same bytes",
    },
    {
      topic: "images",
      path: "images.signedBy",
      rule: { kind: "required" },
      reason: "a digest says that bytes are the same, and a signature whose they are",
    },
    {
      topic: "support",
      path: "support.access",
      rule: { kind: "one-of", values: ["operators", "off"] },
      reason: "staff get in as operators do, by certificates of 1 h of which each issue is a record of the ledger",
    },
    {
      topic: "state",
      path: "state.region",
      when: { path: "state.backend", values: ["s3"] },
      rule: { kind: "one-of", values: EU_REGIONS },
      reason: "the state says what runs where; http names a host, whose region the list of egress says",
    },
    {
      topic: "state",
      path: "state.endpoint",
      when: { path: "state.backend", values: ["s3"] },
      rule: { kind: "names-region-of", path: "state.region" },
      reason:
        "the bucket is where its service is, and a name that says another region contradicts the one that is declared",
    },
    DATABASE_IN_REGION,
    {
      topic: "region",
      path: "kubernetes.external.database.host",
      rule: { kind: "names-region-among", values: AWS_EU_REGIONS },
      reason: "a database that names its region in its name lies there, and its rows are plaintext",
    },
    ...retentionLines("1095d", "90d", "three years are the longest that a hosted deployment keeps them for its tenant"),
    ENGINES_THAT_ISOLATE,
    NO_SIMULATOR,
    onlineKeysIn("pkcs11", "tpm2", "aws-kms"),
  ],
  assurances: [
    ...ASSURED_OUTSIDE_DEV,
    componentsLine(ABSENT, "the operator may see metrics elsewhere, and nothing pretends to be a sensor"),
    metricsAlone(
      "none, or metrics of operations, which are metadata",
      "the operator has to see that it works, and sees counters for that",
    ),
  ],
  mayBeAbsent: ABSENT,
  defaults: {
    ...DEFAULTS_OUTSIDE_DEV,
    engine: "docker",
    hosting: { operator: "trustkern" },
    images: { source: "registry" },
    egress: { mode: "restricted" },
    support: { access: "operators" },
    custody: { class: "hardware", owner: "trustkern", schedule: { rotateEvery: "90d", overlap: "7d" } },
  },
};
