import { TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import { openCluster } from "../../../stacks/kubernetes/life/cluster.ts";
import { openForwards } from "../../../stacks/kubernetes/life/forwards.ts";
import type { ClusterOptions } from "../../../stacks/kubernetes/life/options.ts";
import { assertDeployed } from "../../../stacks/kubernetes/life/site.ts";
import type { Layer } from "../checks.ts";
import { notLookedAt } from "../not-looked-at.ts";
import type { CheckResult } from "../result.ts";
import type { ClusterSubject } from "./subject.ts";

/** Looks at a layer of a deployment in a cluster. */
export type ClusterLook = (subject: ClusterSubject) => Promise<readonly CheckResult[]>;

/** What keeps a layer from being looked at, and is the deployment's or the cluster's own state and no fault of ours. */
const NOT_THERE = [
  "NOT_DEPLOYED",
  "KUBECONFIG_INVALID",
  "CLUSTER_UNREACHABLE",
  "CLUSTER_DENIED",
  "POD_UNREACHABLE",
  "STATE_LOCKED",
];

/** The results of a layer, or where there is no deployment or no cluster to ask, why nothing of it is proven. */
export async function lookOnCluster(
  layer: Layer,
  options: ClusterOptions,
  look: ClusterLook,
): Promise<readonly CheckResult[]> {
  try {
    const cluster = await openCluster(options);
    assertDeployed(cluster);
    await using forwards = await openForwards(cluster);
    return await look({ cluster, forwards });
  } catch (thrown) {
    return notLookedAt(layer, whyNotThere(thrown));
  }
}

/** Why a cluster cannot be asked; anything else is thrown on. */
export function whyNotThere(thrown: unknown): Finding {
  if (!(thrown instanceof TrustKernError) || !NOT_THERE.includes(thrown.code)) throw thrown;
  const { code, path, message, fix } = thrown;
  return { code, path: path ?? "cluster", message, fix };
}
