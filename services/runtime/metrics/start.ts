import type { Logger } from "pino";
import packageJson from "../../../package.json" with { type: "json" };
import type { MetricsConfig } from "../config.ts";
import { createEventLimiter } from "../event-limiter.ts";
import { listenTcp } from "../listen.ts";
import type { SecurityEvents } from "../security-events.ts";
import type { Tls13Options } from "../tls.ts";
import { describeTls } from "../tls-set.ts";
import { certificateMetrics, gauge, type Metric, numberOf } from "./metric.ts";
import { createRegistry } from "./registry.ts";
import { createMetricsServer } from "./server.ts";

const EVENT_WINDOW_MS = 1000;

/** What {@link startMetrics} serves, and where. */
export interface MetricsOptions {
  readonly config: Pick<MetricsConfig, "listen" | "clients">;
  readonly tls: Tls13Options;
  readonly ready: () => boolean;
  /** What the service itself measures. */
  readonly metrics: readonly Metric[];
  readonly events: Pick<SecurityEvents, "emit">;
  readonly log: Pick<Logger, "error">;
}

/** Metrics that are being served. */
export interface RunningMetrics {
  readonly port: number;
  readonly close: () => void;
}

/**
 * Serves a service's metrics over HTTPS with client certificates.
 * @throws PORT_IN_USE
 */
export async function startMetrics(options: MetricsOptions): Promise<RunningMetrics> {
  const { config, log, tls } = options;
  const limiter = createEventLimiter(options.events.emit);
  const registry = createRegistry([...commonMetrics(options), ...options.metrics]);
  const server = createMetricsServer({ registry, tls, clients: config.clients, events: limiter, log });
  const port = await listenTcp(server, config.listen);
  const flush = setInterval(limiter.flush, EVENT_WINDOW_MS);
  return {
    port,
    close: () => {
      clearInterval(flush);
      limiter.flush();
      server.close();
      server.closeAllConnections();
    },
  };
}

function commonMetrics({ ready, tls }: MetricsOptions): readonly Metric[] {
  return [
    gauge("ready", "Whether the service can do its work now.", () => numberOf(ready())),
    ...certificateMetrics("", () => describeTls(tls)),
    {
      name: "build_info",
      help: "Always 1; the version is in the label.",
      type: "gauge",
      label: { name: "version", values: [] },
      read: () => ({ [packageJson.version]: 1 }),
    },
  ];
}
