import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDeploymentYaml } from "../../../profiles/parse.ts";
import { bundledNames, gather } from "./gather.ts";

const deploymentFile = readFileSync(join("examples", "air-gapped", "trustkern.yaml"), "utf8");
const { deployment } = readDeploymentYaml(deploymentFile, "trustkern.yaml");

describe("gather", () => {
  const cancelled = {
    ...{ deployment, deploymentFile, version: "1", temporaryDir: "/nowhere", projectDir: "/nowhere", refresh: false },
    ...{
      cacheDir: "/nowhere",
      toolsDir: "/nowhere",
      env: {},
      signal: AbortSignal.abort(),
      onProgress: () => undefined,
    },
  };

  it("says that it was cancelled, however what it started says so", async () => {
    await expect(gather(cancelled)).rejects.toMatchObject({ code: "BUNDLE_CANCELLED" });
  });

  it("refuses a deployment whose site takes no bundle, cancelled or not", () => {
    for (const source of ["registry", "packages"] as const) {
      const other = { ...deployment, images: { ...deployment.images, source } };
      expect(() => bundledNames(other)).toThrow(expect.objectContaining({ code: "BUNDLE_NOT_TAKEN" }));
    }
  });

  it("refuses a deployment of which it would have to leave something out", () => {
    const other = { ...deployment, images: { ...deployment.images, grafana: "present" as const } };
    const refusal = { code: "BUNDLE_IMAGE_UNMAKEABLE", exit: 2, path: "images.grafana" };
    expect(() => bundledNames(other)).toThrow(expect.objectContaining(refusal));
  });

  it("names the image that verifies a deployment, once", () => {
    expect(bundledNames(deployment).filter((name) => name === "probe")).toHaveLength(1);
  });
});
