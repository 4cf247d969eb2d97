import { ONLINE_KEYS_IN_HARDWARE } from "./common-lines.ts";
import { CUSTOMER_ALONE, custodyOutsideDev } from "./custody-lines.ts";
import type { Profile } from "./profile.ts";

/** In the customer's own account, operated by the customer. */
export const customerTenant: Profile = {
  name: "customer-tenant",
  summary: "in the customer's own account and region, operated by the customer",
  constraints: [
    {
      topic: "engine",
      path: "engine",
      rule: { kind: "one-of", values: ["docker", "kubernetes", "pulumi"] },
      reason: "the embedded engine has no isolation between components and its database does not sync to disk",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "required" },
      reason: "the customer chose the boundary, so the file must say where it is",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "required" },
      reason: "the boundary is the customer's account, and evidence names it",
    },
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["customer"] },
      reason: "no one but the customer may read plaintext or hold a decryption key",
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
  ],
  assurances: [],
  mayBeAbsent: [],
  defaults: {
    engine: "kubernetes",
    hosting: { operator: "customer" },
    simulator: { sensors: 0 },
    custody: { class: "hardware", schedule: { rotateEvery: "90d", overlap: "7d" } },
  },
};
