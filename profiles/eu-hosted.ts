import { ONLINE_KEYS_IN_HARDWARE } from "./common-lines.ts";
import { custodyOutsideDev } from "./custody-lines.ts";
import { AWS_EU_REGIONS, EU_REGIONS } from "./eu-regions.ts";
import type { Profile } from "./profile.ts";

/** Operated for a tenant, inside the European Union. */
export const euHosted: Profile = {
  name: "eu-hosted",
  summary: "operated by TrustKern for one tenant, in one region of the European Union",
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
      rule: { kind: "one-of", values: EU_REGIONS },
      reason: "plaintext and decryption keys stay in a member state of the European Union",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "required" },
      reason: "one account for each tenant, so that no other tenant's operator can reach the boundary",
    },
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["trustkern"] },
      reason: "this profile is the hosted one; a customer who operates it takes customer-tenant",
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
  ],
  assurances: [],
  mayBeAbsent: [],
  defaults: {
    engine: "docker",
    hosting: { operator: "trustkern" },
    simulator: { sensors: 0 },
    custody: { class: "hardware", owner: "trustkern", schedule: { rotateEvery: "90d", overlap: "7d" } },
  },
};
