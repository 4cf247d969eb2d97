import type { Deployment } from "../../model/deployment.ts";

/** Host name of the custody that makes and changes generations, where there are several: the first pod of its workload. */
export const WRITER = "custody-0";

/** How many custodies there are, each with a broker of its own. */
export function custodyReplicas({ engine, kubernetes }: Pick<Deployment, "engine" | "kubernetes">): number {
  return engine === "kubernetes" ? kubernetes.custody.replicas : 1;
}
