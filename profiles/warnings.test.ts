import { expect, it } from "vitest";
import { PROFILE_NAMES } from "../model/deployment.ts";
import { defaultDeployment } from "./resolve.ts";
import { deploymentWarnings } from "./warnings.ts";

const { custody } = defaultDeployment();

it.each(PROFILE_NAMES.filter((name) => name !== "dev"))("%s is warned of keys in a file", (profile) => {
  expect(deploymentWarnings({ profile, custody }).map(({ path }) => path)).toEqual(["custody.kind"]);
});

it("is not of keys in a TPM, nor in a development deployment", () => {
  const tpm = { ...custody, kind: "tpm2", device: "/dev/tpmrm0", pcrs: "sha256:7" } as const;
  expect(deploymentWarnings({ profile: "air-gapped", custody: tpm })).toEqual([]);
  expect(deploymentWarnings({ profile: "dev", custody })).toEqual([]);
});
