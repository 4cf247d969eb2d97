import { ONLINE_KEYS_IN_HARDWARE, type Profile } from "./profile.ts";

/** On a site without any connection to the outside. */
export const airGapped: Profile = {
  name: "air-gapped",
  summary: "on a site with no connection to the outside, installed from a bundle and operated by the customer",
  constraints: [
    {
      path: "engine",
      rule: { kind: "one-of", values: ["docker", "kubernetes"] },
      reason: "pulumi needs a provider's API, and the embedded engine has no isolation between components",
    },
    {
      path: "hosting.region",
      rule: { kind: "one-of", values: ["local"] },
      reason: "the boundary is the site itself",
    },
    {
      path: "hosting.account",
      rule: { kind: "one-of", values: ["local"] },
      reason: "no provider can be reached from an air-gapped site",
    },
    {
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["customer"] },
      reason: "nobody else can be on the site",
    },
    {
      path: "simulator.sensors",
      rule: { kind: "one-of", values: [0] },
      reason: "simulated telemetry and a rogue gateway have no place beside real data",
    },
    ONLINE_KEYS_IN_HARDWARE,
  ],
  defaults: {
    engine: "docker",
    hosting: { region: "local", account: "local", operator: "customer" },
    simulator: { sensors: 0 },
  },
};
