import { ONLINE_KEYS_IN_HARDWARE } from "./common-lines.ts";
import { CUSTOMER_ALONE, custodyOutsideDev } from "./custody-lines.ts";
import type { Profile } from "./profile.ts";

/** On a site without any connection to the outside. */
export const airGapped: Profile = {
  name: "air-gapped",
  summary: "on a site with no connection to the outside, installed from a bundle and operated by the customer",
  constraints: [
    {
      topic: "engine",
      path: "engine",
      rule: { kind: "one-of", values: ["docker", "kubernetes"] },
      reason: "pulumi needs a provider's API, and the embedded engine has no isolation between components",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "one-of", values: ["local"] },
      reason: "the boundary is the site itself",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "one-of", values: ["local"] },
      reason: "no provider can be reached from an air-gapped site",
    },
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["customer"] },
      reason: "nobody else can be on the site",
    },
    {
      topic: "simulator",
      path: "simulator.sensors",
      rule: { kind: "one-of", values: [0] },
      reason: "simulated telemetry and a rogue gateway have no place beside real data",
    },
    ONLINE_KEYS_IN_HARDWARE,
    {
      topic: "custody",
      path: "custody.kind",
      rule: { kind: "one-of", values: ["file", "pkcs11", "tpm2", "vault"] },
      reason: "no KMS of a provider is on the site",
    },
    {
      topic: "custody",
      path: "custody.address",
      when: { path: "custody.kind", values: ["vault"] },
      rule: { kind: "on-site" },
      reason: "a server that has to be reached elsewhere is not on the site",
    },
    ...CUSTOMER_ALONE,
    ...custodyOutsideDev("730d", "NIST SP 800-57 part 1 gives such a key two years at most"),
  ],
  assurances: [],
  mayBeAbsent: [],
  defaults: {
    engine: "docker",
    hosting: { region: "local", account: "local", operator: "customer" },
    simulator: { sensors: 0 },
    custody: { class: "hardware", owner: "customer", schedule: { rotateEvery: "365d", overlap: "30d" } },
  },
};
