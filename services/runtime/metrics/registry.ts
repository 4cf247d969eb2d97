import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { METRIC_PREFIX, type Metric, type Sample } from "./metric.ts";

/** A registry with metrics of ours, read anew at each scrape, and with those of the process and of Node. */
export function createRegistry(metrics: readonly Metric[]): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const metric of metrics) register(registry, metric);
  return registry;
}

function register(registry: Registry, metric: Metric): void {
  const labelNames = metric.label ? [metric.label.name] : (metric.labels ?? []);
  const common = { name: `${METRIC_PREFIX}${metric.name}`, help: metric.help, labelNames, registers: [registry] };
  // The service keeps the numbers; here they are only shown.
  const forget = (shown: Counter | Gauge): void => {
    shown.reset();
    if (labelNames.length === 0) shown.remove();
  };
  if (metric.type === "counter")
    new Counter({
      ...common,
      collect() {
        forget(this);
        for (const [labels, value] of samplesOf(metric)) this.inc(labels, value);
      },
    });
  else
    new Gauge({
      ...common,
      collect() {
        forget(this);
        for (const [labels, value] of samplesOf(metric)) this.set(labels, value);
      },
    });
}

function samplesOf(metric: Metric): readonly Sample[] {
  if (metric.labels) return metric.read();
  if (!metric.label) {
    const value = metric.read();
    return value === null ? [] : [[{}, value]];
  }
  const { name, values } = metric.label;
  const table = metric.read();
  return [...new Set([...values, ...Object.keys(table)])].map((each) => [{ [name]: each }, table[each] ?? 0]);
}
