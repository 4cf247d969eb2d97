import {
  ASSURED_OUTSIDE_DEV,
  componentsLine,
  DEFAULTS_OUTSIDE_DEV,
  ENGINES_THAT_ISOLATE,
  NO_SIMULATOR,
  onlineKeysIn,
  retentionLines,
} from "./common-lines.ts";
import { CUSTOMER_ALONE, custodyOutsideDev } from "./custody-lines.ts";
import type { Profile } from "./profile.ts";

const ABSENT = ["grafana", "simulator"] as const;

/** On a site without any connection to the outside. */
export const airGapped: Profile = {
  name: "air-gapped",
  summary: "on a site with no connection to the outside, installed from a bundle and operated by the customer",
  constraints: [
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["customer"] },
      reason: "nobody else can be on the site",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "one-of", values: ["local"] },
      reason: "no provider can be reached from an air-gapped site",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "one-of", values: ["local"] },
      reason: "the boundary is the site itself",
    },
    {
      topic: "custody",
      path: "custody.kind",
      rule: { kind: "one-of", values: ["file", "pkcs11", "tpm2", "vault"] },
      reason: "no KMS of a provider is on the site; a file is accepted with a warning",
    },
    {
      topic: "custody",
      path: "custody.address",
      when: { path: "custody.kind", values: ["vault"] },
      rule: { kind: "on-site" },
      reason: "a server that has to be reached elsewhere is not on the site",
    },
    {
      topic: "custody",
      path: "custody.escrow",
      rule: { kind: "required" },
      reason: "nobody outside can help when the place of the keys is lost; shares are made by a ceremony on the site",
    },
    ...CUSTOMER_ALONE,
    ...custodyOutsideDev("730d", "NIST SP 800-57 part 1 gives such a key two years at most"),
    {
      topic: "egress",
      path: "egress.mode",
      rule: { kind: "one-of", values: ["isolated", "restricted"] },
      reason: "nothing leaves the site",
    },
    {
      topic: "egress",
      path: "egress.allow.*.host",
      rule: { kind: "on-site-host" },
      reason: "a host with a public name or address may lie anywhere",
    },
    {
      topic: "egress",
      path: "egress.allow.*.purpose",
      rule: { kind: "one-of", values: ["ntp", "siem", "mirror", "state", "keys"] },
      reason: "clocks, logs, a mirror, and the site's own state or keys are all that a deployment on a site can need",
    },
    {
      topic: "images",
      path: "images.source",
      rule: { kind: "one-of", values: ["bundle"] },
      reason: "what comes onto the site is checked once, as a whole, before it is carried in",
    },
    {
      topic: "support",
      path: "support.access",
      rule: { kind: "one-of", values: ["off"] },
      reason: "no way leads in from outside, and a certificate that waits for one would be found",
    },
    {
      topic: "telemetry",
      path: "telemetry.vendor",
      rule: { kind: "one-of", values: ["none"] },
      reason: "nothing leaves the site, counters neither",
    },
    {
      topic: "state",
      path: "state.backend",
      rule: { kind: "one-of", values: ["local", "http"] },
      reason: "no provider's storage can be reached; a server of the site is on the list of egress",
    },
    {
      topic: "state",
      path: "state.address",
      when: { path: "state.backend", values: ["http"] },
      rule: { kind: "on-site" },
      reason: "the state says what runs on the site, and who writes it decides that",
    },
    {
      topic: "hosting",
      path: "docker.publishAddress",
      rule: { kind: "site-address" },
      reason: "a port at every address of a host, or at a public one, may be reached from elsewhere than the site",
    },
    {
      topic: "region",
      path: "kubernetes.external.database.host",
      rule: { kind: "on-site-host", orNone: true },
      reason: "the rows of a database are plaintext, and one with a public name or address may lie anywhere",
    },
    {
      topic: "hosting",
      path: "kubernetes.publish.from",
      rule: { kind: "site-networks" },
      reason: "whoever may connect from a public address is somewhere else than on the site",
    },
    ...retentionLines("3650d", "365d", "ten years are the longest that records of production are usually asked for"),
    ENGINES_THAT_ISOLATE,
    NO_SIMULATOR,
    onlineKeysIn("pkcs11", "tpm2"),
  ],
  assurances: [
    ...ASSURED_OUTSIDE_DEV,
    componentsLine(ABSENT, "a site may have dashboards of its own, and nothing pretends to be a sensor"),
  ],
  mayBeAbsent: ABSENT,
  defaults: {
    ...DEFAULTS_OUTSIDE_DEV,
    engine: "docker",
    hosting: { region: "local", account: "local", operator: "customer" },
    images: { source: "bundle" },
    egress: { mode: "isolated" },
    support: { access: "off" },
    custody: { class: "hardware", owner: "customer", schedule: { rotateEvery: "365d", overlap: "30d" } },
  },
};
