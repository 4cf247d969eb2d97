import { z } from "zod";
import { accepted, type ClusterApi } from "./api.ts";
import { kubernetesLifeErrors } from "./errors.ts";

const said = z.object({ major: z.string(), minor: z.string(), gitVersion: z.string().min(1) });

/** What an API server says that it is (Kubernetes API, version.Info). */
export type ClusterVersion = Readonly<z.infer<typeof said>>;

/**
 * Asks the API server for its version, such as `v1.34.1`.
 * @throws CLUSTER_UNREACHABLE, CLUSTER_DENIED, CLUSTER_REJECTED, CLUSTER_TOO_OLD where it says none
 */
export async function clusterVersion(api: Pick<ClusterApi, "ask">): Promise<ClusterVersion> {
  const { data } = said.safeParse(accepted(await api.ask("GET", "/version"), "read /version"));
  if (data === undefined) throw kubernetesLifeErrors.error("CLUSTER_TOO_OLD", "the cluster says no version");
  return data;
}
