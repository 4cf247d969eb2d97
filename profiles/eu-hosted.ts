import { ONLINE_KEYS_IN_HARDWARE, type Profile } from "./profile.ts";

/** Operated for a tenant, inside the European Union. */
export const euHosted: Profile = {
  name: "eu-hosted",
  summary: "operated by TrustKern for one tenant, in one region of the European Union",
  constraints: [
    {
      path: "engine",
      rule: { kind: "one-of", values: ["docker", "kubernetes", "pulumi"] },
      reason: "the embedded engine has no isolation between components and its database does not sync to disk",
    },
    {
      path: "hosting.region",
      rule: {
        kind: "one-of",
        values: [
          "eu-central-1",
          "eu-west-1",
          "eu-west-3",
          "eu-north-1",
          "eu-south-1",
          "eu-south-2",
          "fsn1",
          "nbg1",
          "hel1",
        ],
      },
      reason: "plaintext and decryption keys stay in a member state of the European Union",
    },
    {
      path: "hosting.account",
      rule: { kind: "required" },
      reason: "one account for each tenant, so that no other tenant's operator can reach the boundary",
    },
    {
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["trustkern"] },
      reason: "this profile is the hosted one; a customer who operates it takes customer-tenant",
    },
    {
      path: "simulator.sensors",
      rule: { kind: "one-of", values: [0] },
      reason: "simulated telemetry and a rogue gateway have no place beside real data",
    },
    ONLINE_KEYS_IN_HARDWARE,
  ],
  defaults: { engine: "docker", hosting: { operator: "trustkern" }, simulator: { sensors: 0 } },
};
