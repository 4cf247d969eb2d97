import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hostErrors } from "../../../stacks/host/errors.ts";
import { writeState } from "../../../stacks/host/state.ts";
import { kubernetesLifeErrors } from "../../../stacks/kubernetes/life/errors.ts";
import { clusterLayout } from "../../../stacks/kubernetes/life/layout.ts";
import type { ClusterOptions } from "../../../stacks/kubernetes/life/options.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../../stacks/kubernetes/test-deployments.ts";
import { checksOf } from "../checks.ts";
import { verifyClusterLayer } from "./index.ts";
import { type ClusterLook, lookOnCluster } from "./on-cluster.ts";

const { deployment, images, model, plan } = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));
let dir: string;
let kubeconfig: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-on-"));
  kubeconfig = join(dir, "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:9" } }],
      users: [{ name: "u", user: {} }],
    }),
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const options = (): ClusterOptions => ({
  ...{ deployment, images, dir: join(dir, "state"), temporaryDir: tmpdir(), env: { KUBECONFIG: kubeconfig } },
  ...{ clock: () => new Date(), pid: process.pid, signal: new AbortController().signal },
  ...{ onProgress: () => undefined, onWarning: () => undefined },
});
const deployed = () =>
  writeState(clusterLayout(options(), model).stateFile, {
    schema: "trustkern.kubernetes-state/1",
    ...{ tenant: "acme", createdAt: "2026-01-01T00:00:00.000Z", ports: {}, volumes: [] },
  });
const codeOf = async (look: ClusterLook) => {
  const results = await lookOnCluster("running", options(), look);
  expect(results.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(
    checksOf("running").map((id) => `${id} not-proven`),
  );
  return results[0]?.findings[0]?.code;
};
const nothing: ClusterLook = async () => [];

describe("nothing is proven", () => {
  it("where nothing was deployed", async () => {
    expect(await codeOf(nothing)).toBe("NOT_DEPLOYED");
  });

  it("without a kubeconfig", async () => {
    writeFileSync(kubeconfig, "{");
    expect(await codeOf(nothing)).toBe("KUBECONFIG_INVALID");
  });

  it.each(["CLUSTER_UNREACHABLE", "CLUSTER_DENIED", "POD_UNREACHABLE"] as const)("by %s", async (code) => {
    deployed();
    expect(await codeOf(() => Promise.reject(kubernetesLifeErrors.error(code, "no")))).toBe(code);
  });

  it("of what a cluster has that does not answer, and all of what is rendered", async () => {
    deployed();
    const results = await verifyClusterLayer("rendered", options(), { model, plan });
    expect(results.filter(({ outcome }) => outcome !== "proven")).toMatchObject([
      { id: "rendered.deployed", outcome: "not-proven", findings: [{ code: "CLUSTER_UNREACHABLE" }] },
    ]);
  });
});

it.each([
  ["what was cancelled", hostErrors.error("DEPLOY_CANCELLED", "interrupted")],
  ["a fault of ours", new TypeError("a bug")],
])("ends with %s", async (_, thrown) => {
  deployed();
  await expect(lookOnCluster("data", options(), () => Promise.reject(thrown))).rejects.toBe(thrown);
});
