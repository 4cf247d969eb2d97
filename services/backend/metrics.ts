import { gauge, type Metric } from "../runtime/metrics/metric.ts";

/** Where {@link backendMetrics} reads. */
export interface BackendMetricsSource {
  /** Sensors by state. */
  readonly devices: () => Readonly<Record<string, number>>;
  readonly allowlistVersion: () => number;
}

/** What the backend measures. */
export function backendMetrics({ devices, allowlistVersion }: BackendMetricsSource): readonly Metric[] {
  return [
    {
      name: "backend_devices",
      help: "Sensors in the registry, by state.",
      type: "gauge",
      label: { name: "state", values: [] },
      read: devices,
    },
    gauge("backend_allowlist_version", "Version of the newest allowlist.", allowlistVersion),
  ];
}
