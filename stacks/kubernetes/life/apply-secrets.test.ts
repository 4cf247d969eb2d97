import { beforeEach, expect, it } from "vitest";
import { SECRET_VERSION } from "./apply.ts";
import { startAnew } from "./apply-secrets.ts";
import type { Cluster } from "./cluster.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const components = plan.pods.filter(({ kind }) => kind === "StatefulSet").flatMap((pod) => pod.components);
const fixed = components.find(({ renewal }) => renewal === "restart" || renewal === "reload")?.name ?? "";
const pathOf = (name: string): string => `/apis/apps/v1/namespaces/plant/statefulsets/${name}`;

let made: TestCluster;
beforeEach(() => {
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
    { api: made.api, plan, options: { signal: new AbortController().signal } } as unknown as Cluster,
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
