import { podNamed } from "../pods.ts";
import { applyObject, leftOver, type ObjectChange, startedFor } from "./apply.ts";
import { secretVersions } from "./apply-secrets.ts";
import { openCluster } from "./cluster.ts";
import { ownNamespace } from "./deployed-to.ts";
import type { ClusterOptions } from "./options.ts";
import { preflight } from "./preflight.ts";

/** What a deploy would change in a cluster. */
export interface ClusterChanges {
  readonly schema: "trustkern.plan/1";
  readonly deployment: string;
  readonly namespace: string;
  readonly changes: readonly ObjectChange[];
}

/**
 * What a deploy would change, by the word of the API server itself: each object is applied as a dry run. Secrets are not looked at: a
 * plan makes none.
 * @throws what `preflight` throws, KUBECONFIG_INVALID, CLUSTER_OTHER, CLUSTER_REJECTED
 */
export async function changesOf(options: ClusterOptions): Promise<ClusterChanges> {
  const cluster = await openCluster(options);
  const { api, plan } = cluster;
  await ownNamespace(cluster);
  const { namespaceThere } = await preflight(api, plan);
  const { name, kubernetes } = options.deployment;
  const described = { schema: "trustkern.plan/1", deployment: name, namespace: kubernetes.namespace } as const;
  // Where there is no namespace, the server refuses what would be in it, and everything is new.
  if (!namespaceThere) {
    const changes = plan.objects.map(
      ({ kind, metadata }) => ({ action: "create", kind, name: metadata.name }) as const,
    );
    return { ...described, changes };
  }
  const versions = await secretVersions(cluster);
  const changes: ObjectChange[] = [];
  for (const object of plan.objects) {
    const components = podNamed(plan.pods, object.metadata.name)?.components ?? [];
    changes.push(...(await applyObject(api, startedFor(object, components, versions), true)));
  }
  const old = await leftOver(api, plan);
  changes.push(...old.map(({ kind, metadata }) => ({ action: "delete", kind, name: metadata.name }) as const));
  return { ...described, changes };
}
