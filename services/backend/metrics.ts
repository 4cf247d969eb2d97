import { type FleetCertificate, planFleetInventory } from "../../certs/fleet-inventory.ts";
import { INVENTORY_GAUGES, inventoryLabels } from "../../certs/inventory.ts";
import { counter, gauge, type Metric } from "../runtime/metrics/metric.ts";

/** Where {@link backendMetrics} reads. */
export interface BackendMetricsSource {
  /** Sensors by state. */
  readonly devices: () => Readonly<Record<string, number>>;
  readonly allowlistVersion: () => number;
  readonly tenant: string;
  /** All that are on record. */
  readonly certificates: () => readonly FleetCertificate[];
  /** Certificates that lists revoked, and nobody had asked the backend for it. */
  readonly unorderedRevocations: () => number;
  readonly now: () => number;
}

/** Labels of each certificate's series. */
const LABELS = ["subject", "issuer", "serial", "class", "used_by", "state"];

/** What the backend measures. */
export function backendMetrics(source: BackendMetricsSource): readonly Metric[] {
  const { devices, allowlistVersion } = source;
  return [
    ...fleetMetrics(source),
    {
      name: "backend_devices",
      help: "Sensors in the registry, by state.",
      type: "gauge",
      label: { name: "state", values: [] },
      read: devices,
    },
    counter(
      "backend_unordered_revocations_total",
      "Certificates that an issuer's list revokes, and that the backend did not have revoked.",
      source.unorderedRevocations,
    ),
    gauge("backend_allowlist_version", "Version of the newest allowlist.", allowlistVersion),
  ];
}

/** The certificates of gateways and operators, as `trustkern certs list` measures those of the host's files. */
function fleetMetrics({ tenant, certificates, now }: BackendMetricsSource): readonly Metric[] {
  const rows = () =>
    planFleetInventory({ tenant, certificates: certificates(), at: new Date(now()) }).filter(
      (row) => row.class !== "services",
    );
  return INVENTORY_GAUGES.map(({ name, help, measure }) => ({
    ...{ name, help, labels: LABELS, type: "gauge" as const },
    read: () => rows().map((row) => [inventoryLabels(row), measure(row)] as const),
  }));
}
