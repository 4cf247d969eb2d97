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
import { CUSTOMER_ALONE, custodyOutsideDev } from "./custody-lines.ts";
import type { Profile } from "./profile.ts";
import { UPSTREAM_DOMAINS } from "./provider-hosts.ts";

const ABSENT = ["grafana", "simulator"] as const;

/** In the customer's own account, operated by the customer. */
export const customerTenant: Profile = {
  name: "customer-tenant",
  summary: "in the customer's own account and region, operated by the customer",
  constraints: [
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["customer"] },
      reason: "no one but the customer may read plaintext or hold a decryption key",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "required", but: "local" },
      reason: "the boundary is the customer's account, and evidence names it",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "required", but: "local" },
      reason: "the customer chose the boundary, so the file must say where it is",
    },
    {
      topic: "custody",
      path: "custody.kind",
      rule: { kind: "required" },
      reason: "whoever has the decryption keys can read everything, so the file must say where the customer keeps them",
    },
    {
      topic: "custody",
      path: "custody.account",
      when: { path: "custody.kind", values: ["aws-kms"] },
      orElse: "hosting.account",
      rule: { kind: "same-as", path: "hosting.account" },
      reason: "the boundary is the customer's account, and whoever runs another one could decrypt",
    },
    ...CUSTOMER_ALONE,
    ...custodyOutsideDev("730d", "NIST SP 800-57 part 1 gives such a key two years at most"),
    {
      topic: "egress",
      path: "egress.mode",
      rule: { kind: "one-of", values: ["isolated", "restricted"] },
      reason: "the customer's list says what may be reached, and what nobody has named may not",
    },
    {
      topic: "images",
      path: "images.source",
      rule: { kind: "one-of", values: ["registry"] },
      reason: "images come from the customer's registry, by digest, so that the customer decides what gets in and when",
    },
    {
      topic: "images",
      path: "images.mirror",
      rule: { kind: "required" },
      reason: "upstream's registries are not the customer's: they would see when, where and what is deployed",
    },
    {
      topic: "images",
      path: "images.mirror",
      rule: { kind: "registry-apart-from", domains: UPSTREAM_DOMAINS },
      reason: "a mirror is the customer's own registry, and not the one that it mirrors",
    },
    {
      topic: "support",
      path: "support.access",
      rule: { kind: "one-of", values: ["off", "granted"] },
      reason: "nobody but the customer gets in unless the customer says who, why and until when",
    },
    {
      topic: "support",
      path: "support.until",
      when: { path: "support.access", values: ["granted"] },
      rule: { kind: "within", path: "support.from", max: "7d" },
      reason: "a grant that nobody has to renew is forgotten, and then it is a standing access",
    },
    DATABASE_IN_REGION,
    ...retentionLines("3650d", "365d", "ten years are the longest that records of production are usually asked for"),
    ENGINES_THAT_ISOLATE,
    NO_SIMULATOR,
    onlineKeysIn("pkcs11", "tpm2", "aws-kms"),
  ],
  assurances: [
    ...ASSURED_OUTSIDE_DEV,
    componentsLine(ABSENT, "the customer may have dashboards of its own, and nothing pretends to be a sensor"),
    metricsAlone(
      "none, unless the customer says telemetry.vendor: metrics; then those of operations, which are metadata",
      "even counters say how much a plant does, so the customer decides",
    ),
  ],
  mayBeAbsent: ABSENT,
  defaults: {
    ...DEFAULTS_OUTSIDE_DEV,
    engine: "docker",
    hosting: { operator: "customer" },
    images: { source: "registry" },
    egress: { mode: "restricted" },
    support: { access: "off" },
    custody: { class: "hardware", schedule: { rotateEvery: "90d", overlap: "7d" } },
  },
};
