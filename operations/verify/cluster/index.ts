import { openCluster } from "../../../stacks/kubernetes/life/cluster.ts";
import { clusterDifferences } from "../../../stacks/kubernetes/life/differences.ts";
import type { ClusterOptions } from "../../../stacks/kubernetes/life/options.ts";
import { assertDeployed } from "../../../stacks/kubernetes/life/site.ts";
import type { RenderedKubernetes } from "../../../stacks/kubernetes/render.ts";
import type { Layer } from "../checks.ts";
import type { CheckResult } from "../result.ts";
import { verifyDataCluster } from "./data/index.ts";
import { lookOnCluster, whyNotThere } from "./on-cluster.ts";
import { type ObjectsSubject, verifyObjects } from "./rendered/index.ts";
import { verifyRunningCluster } from "./running/index.ts";

/**
 * A layer of a deployment on Kubernetes. Where no cluster can be asked, what needs one is not proven.
 * @throws DEPLOY_CANCELLED
 */
export async function verifyClusterLayer(
  layer: Exclude<Layer, "model">,
  options: ClusterOptions,
  { model, plan }: RenderedKubernetes,
): Promise<readonly CheckResult[]> {
  if (layer === "running") return lookOnCluster(layer, options, verifyRunningCluster);
  if (layer === "data") return lookOnCluster(layer, options, verifyDataCluster);
  const { deployment, images } = options;
  return verifyObjects({ model, plan, deployment, images, live: await liveDifferences(options) });
}

async function liveDifferences(options: ClusterOptions): Promise<ObjectsSubject["live"]> {
  try {
    const cluster = await openCluster(options);
    assertDeployed(cluster);
    return await clusterDifferences(cluster);
  } catch (thrown) {
    return { why: whyNotThere(thrown) };
  }
}
