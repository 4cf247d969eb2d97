import type { Deployment } from "../model/deployment.ts";

/** Whether the engine carries the log lines of a container; in a cluster the platform's own agent reads them. */
export function shipsLogs({ engine }: Pick<Deployment, "engine">): boolean {
  return engine !== "embedded" && engine !== "kubernetes";
}

/** Whether there is a Loki, the deployment's own or another one, that Grafana and Prometheus ask. */
export function hasLoki(deployment: Pick<Deployment, "engine" | "kubernetes">): boolean {
  return (
    shipsLogs(deployment) || (deployment.engine === "kubernetes" && deployment.kubernetes.external.loki !== undefined)
  );
}
