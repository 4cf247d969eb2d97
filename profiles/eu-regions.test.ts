import { expect, it } from "vitest";
import { AWS_EU_REGIONS, EEA_REGIONS, EU_REGIONS } from "./eu-regions.ts";

it("has no region twice, whoever's it is, so that a name says where it lies", () => {
  expect(new Set(EU_REGIONS).size).toBe(EU_REGIONS.length);
  for (const { region } of EEA_REGIONS) expect(region).toMatch(/^[a-z0-9][a-z0-9-]*$/);
});

it("has regions of every provider that it knows", () => {
  const providers = new Set(EEA_REGIONS.map(({ provider }) => provider));
  expect([...providers]).toEqual(["AWS", "Azure", "Google Cloud", "Hetzner", "OVHcloud", "Scaleway"]);
  expect(AWS_EU_REGIONS).toHaveLength(7);
});

it.each([
  ["London", ["eu-west-2", "uksouth", "ukwest", "europe-west2", "uk", "uk1"]],
  ["Zurich and Geneva", ["eu-central-2", "switzerlandnorth", "switzerlandwest", "europe-west6"]],
  ["other continents", ["us-east-1", "eastus", "us-central1", "ash", "hil", "sin", "bhs", "bhs5"]],
])("has none in %s", (_, regions) => {
  for (const region of regions) expect(EU_REGIONS).not.toContain(region);
});
