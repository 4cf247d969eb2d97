import { expect, it } from "vitest";
import { PROFILE_NAMES } from "../model/deployment.ts";
import { defaultDeployment } from "./resolve.ts";
import { deploymentWarnings } from "./warnings.ts";

const { custody, support } = defaultDeployment();
const NOW = new Date("2027-03-01T08:00:00Z");

it.each(PROFILE_NAMES.filter((name) => name !== "dev"))("%s is warned of keys in a file", (profile) => {
  expect(deploymentWarnings({ profile, custody, support }, NOW).map(({ path }) => path)).toEqual(["custody.kind"]);
});

it("is not of keys in a TPM, nor in a development deployment", () => {
  const tpm = { ...custody, kind: "tpm2", device: "/dev/tpmrm0", pcrs: "sha256:7" } as const;
  expect(deploymentWarnings({ profile: "air-gapped", custody: tpm, support }, NOW)).toEqual([]);
  expect(deploymentWarnings({ profile: "dev", custody, support }, NOW)).toEqual([]);
});

it.each([
  ["2027-03-01T07:59:59Z", ["support.until"]],
  ["2027-03-01T08:00:00Z", ["support.until"]],
  ["2027-03-01T08:00:01Z", []],
])("a grant until %s is said to be over from then on", (until, paths) => {
  const granted = {
    access: "granted",
    to: "partner",
    from: "2027-02-28T08:00:00Z",
    until,
    reason: "an outage",
  } as const;
  const found = deploymentWarnings({ profile: "dev", custody, support: granted }, NOW);
  expect(found.map(({ path }) => path)).toEqual(paths);
});
