import type { KubernetesPlan } from "../plan.ts";
import { podNamed } from "../pods.ts";
import { type ApiObject, objectPath } from "./api.ts";
import { expectedPod, workloadIn } from "./expected-pod.ts";
import type { TestCluster } from "./test-cluster.ts";

/** What a test says of a pod otherwise than its controller does. */
export interface PodChange {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
  /** Its revision by its label. */
  readonly revision?: string;
}

/** For tests: a pod as the controller of its StatefulSet or Job makes it, and the API server fills it in. */
export function madePod(
  cluster: TestCluster,
  plan: KubernetesPlan,
  name: string,
  { metadata = {}, spec = {}, status = {}, revision = "new" }: PodChange = {},
): ApiObject & { readonly [member: string]: unknown } {
  const component = name.replace(/-[^-]+$/, "");
  const pod = podNamed(plan.pods, component);
  const workload = pod === undefined ? undefined : workloadIn(plan, pod);
  const expected = pod === undefined ? undefined : expectedPod({ name, pod }, plan);
  if (workload === undefined || expected === undefined) throw new TypeError(`the plan has no pod "${component}"`);
  const { uid } = cluster.objects.get(objectPath(workload as ApiObject))?.metadata ?? {};
  const { kind, apiVersion } = workload;
  return {
    ...{ apiVersion: "v1", kind: "Pod", status: { phase: "Running", ...status } },
    metadata: {
      ...{ name, namespace: plan.deployment.kubernetes.namespace },
      labels: { ...expected.labels, "controller-revision-hash": revision },
      ownerReferences: [{ apiVersion, kind, name: workload.metadata.name, uid, controller: true }],
      ...metadata,
    } as never,
    spec: { ...structuredClone(expected.spec), nodeName: "one", schedulerName: "default-scheduler", ...spec },
  };
}
