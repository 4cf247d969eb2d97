import type { KubeConfig } from "@kubernetes/client-node";
import type { Layout } from "../../host/layout.ts";
import { type RenderedKubernetes, renderKubernetes } from "../render.ts";
import { type ClusterApi, clusterApi } from "./api.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { clusterLayout } from "./layout.ts";
import type { ClusterOptions } from "./options.ts";

/** A deployment, and the cluster that it is for. */
export interface Cluster extends RenderedKubernetes {
  readonly options: ClusterOptions;
  readonly config: KubeConfig;
  readonly api: ClusterApi;
  readonly layout: Layout;
}

/**
 * Renders the deployment and finds its cluster. Asks the cluster nothing yet.
 * @throws KUBECONFIG_INVALID, and what rendering throws
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const rendered = renderKubernetes(options);
  const config = await loadKubeconfig(options.env);
  const layout = clusterLayout(options, rendered.model);
  return { ...rendered, options, config, layout, api: clusterApi(config, options.signal) };
}
