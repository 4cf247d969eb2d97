import { NAME_PREFIX } from "../certs/names.ts";
import type { Model } from "../model/boundary.ts";
import { PROMETHEUS_IDENTITY, VENDOR_METRICS_IDENTITY } from "../modules/prometheus/metrics-port.ts";

/** Common names of services that a certificate may be issued for, sorted: those of components, and the vendor's where Prometheus is published. */
export function serviceNames({ components }: Pick<Model, "components">): readonly string[] {
  const { services } = NAME_PREFIX;
  const vendor = components.some(
    ({ identity, ports }) => identity === PROMETHEUS_IDENTITY && ports.some(({ publish }) => publish === true),
  );
  const ofComponents = components.flatMap(({ name, identity }) => [`${services}${name}`, identity ?? ""]);
  const names = [...ofComponents, ...(vendor ? [VENDOR_METRICS_IDENTITY] : [])];
  return [...new Set(names.filter((name) => name.startsWith(services)))].sort();
}
