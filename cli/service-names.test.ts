import { expect, it } from "vitest";
import type { Deployment } from "../model/deployment.ts";
import { buildModel } from "../modules/index.ts";
import { resolveDeployment } from "../profiles/resolve.ts";
import { dockerPlacement } from "../stacks/docker/placement.ts";
import { serviceNames } from "./service-names.ts";

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const names = (more: Partial<Deployment> = {}) => {
  const deployment = { ...dev, ...more };
  return serviceNames(buildModel(deployment, dockerPlacement(deployment)));
};

it("has the components' names, and no gateway's or operator's", () => {
  expect(names()).toEqual(expect.arrayContaining(["svc-backend", "svc-collector", "svc-prometheus"]));
  expect(names().filter((name) => !name.startsWith("svc-"))).toEqual([]);
});

it("has the vendor's reader where the deployment says that it may read, and nowhere else", () => {
  expect(names({ telemetry: { vendor: "metrics" } })).toContain("svc-vendor-metrics");
  expect(names()).not.toContain("svc-vendor-metrics");
  expect(names({ telemetry: { vendor: "metrics" }, engine: "embedded" })).not.toContain("svc-vendor-metrics");
});
