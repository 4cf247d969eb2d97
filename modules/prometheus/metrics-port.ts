import type { Port } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { listenConfig, tlsConfig } from "../common.ts";

/** Common name of the certificate that Prometheus scrapes with, and the one that may read metrics. */
export const PROMETHEUS_IDENTITY = "svc-prometheus";

/** Common name of the certificate that the vendor reads Prometheus with, where the deployment lets it. */
export const VENDOR_METRICS_IDENTITY = "svc-vendor-metrics";

/** Name of the port that a service of ours serves its metrics on; the embedded engine has no Prometheus, and no such port. */
export const METRICS_PORT = "metrics";

/** The metrics port of a component of ours, where the engine has a Prometheus that reads it. */
export function metricsPorts({ engine }: Deployment, placement: Placement, component: string): readonly Port[] {
  if (engine === "embedded") return [];
  return [{ name: METRICS_PORT, port: placement.endpoint(component, METRICS_PORT).port, protocol: "tcp" }];
}

/** The `metrics` member of a service's configuration, or nothing; it is the server that its `tls` names. */
export function metricsMember(
  { engine }: Deployment,
  placement: Placement,
  component: string,
  tls: Readonly<Record<string, string>> = tlsConfig(placement, component),
): object {
  if (engine === "embedded") return {};
  return { metrics: { listen: listenConfig(placement, component, METRICS_PORT), tls, clients: [PROMETHEUS_IDENTITY] } };
}
