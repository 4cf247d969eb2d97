import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SECRET_VERSION } from "./apply.ts";
import { startAnew } from "./apply-secrets.ts";
import type { Cluster } from "./cluster.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { testConfig } from "./test-config.ts";

const { plan } = tenantPlan();
const components = plan.pods.filter(({ kind }) => kind === "StatefulSet").flatMap((pod) => pod.components);
const fixed = components.find(({ renewal }) => renewal === "restart" || renewal === "reload")?.name ?? "";
const pathOf = (name: string): string => `/apis/apps/v1/namespaces/plant/statefulsets/${name}`;

let dir = "";
let made: TestCluster;
afterEach(() => rmSync(dir, { recursive: true }));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-anew-"));
  made = deployedCluster({ plan });
  const { labels } = plan.objects.find(({ kind }) => kind === "StatefulSet")?.metadata ?? {};
  for (const name of [fixed, "collector"]) {
    made.put({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "plant", labels } as never });
    made.edit(pathOf(name), (live: { spec: { replicas?: number }; status: object }) => {
      const pods = live.spec.replicas ?? 2;
      live.status = { readyReplicas: pods, updatedReplicas: pods };
    });
  }
});
const start = (component: string) =>
  startAnew(
    {
      ...{ api: made.api, plan, config: testConfig(), layout: { dir } },
      options: { signal: AbortSignal.any([]) },
    } as unknown as Cluster,
    component,
  );
const changes = (): readonly string[] => made.asked.filter((each) => !each.startsWith("GET "));

it("marks the pods with the version of their Secret, and says nothing else of a workload that others apply", async () => {
  const before = structuredClone(made.objects.get(pathOf(fixed))) as never as {
    spec: { template: { metadata: object } };
  };
  await start(fixed);
  expect(changes()).toEqual([`APPLY ${pathOf(fixed)} as trustkern-secrets`]);
  const { resourceVersion } = made.objects.get(`/api/v1/namespaces/plant/secrets/${fixed}`)?.metadata ?? {};
  Object.assign(before.spec.template.metadata, { annotations: { [SECRET_VERSION]: resourceVersion } });
  expect(made.objects.get(pathOf(fixed))).toMatchObject(before);
});

it.each([
  ["whose component watches its files", "collector"],
  ["that is none of the deployment", "gw-99"],
])("changes nothing of a workload %s", async (_, name) => {
  await start(name);
  expect(changes()).toEqual([]);
});

it("changes nothing in another cluster than that of the deploy", async () => {
  const record = { schema: "trustkern.kubernetes-namespace/1", namespace: "plant", uid: "another" };
  writeFileSync(join(dir, "namespace.json"), JSON.stringify(record));
  await expect(start(fixed)).rejects.toMatchObject({ code: "CLUSTER_OTHER" });
  expect(changes()).toEqual([]);
});
