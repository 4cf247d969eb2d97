import type { RequestListener, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { TrustKernError } from "../../../shared/errors.ts";
import { runtimeErrors } from "../errors.ts";
import type { EventLimiter } from "../event-limiter.ts";
import { errorBody } from "../http.ts";
import { callerOf, createMutualServer } from "../mutual-server.ts";
import type { Tls13Options } from "../tls.ts";

/** The one path that is served. */
export const METRICS_PATH = "/metrics";

/** What {@link createMetricsServer} serves. */
export interface MetricsServerOptions {
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly tls: Tls13Options;
  /** Common names of the certificates that may read. */
  readonly clients: readonly string[];
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "error">;
}

/** An HTTPS server that answers `GET /metrics`, in Prometheus' text format, to the clients that it names. */
export function createMetricsServer({ registry, tls, clients, events, log }: MetricsServerOptions): Server {
  const listener: RequestListener = (message, response) => {
    const caller = callerOf(message);
    if (caller === null || !clients.includes(caller)) {
      const actor = caller ?? "unknown";
      const sourceAddress = message.socket.remoteAddress ?? null;
      events.report({ kind: "AUTH_FAILED", actor, sourceAddress, object: "metrics", reason: "METRICS_CLIENT_REFUSED" });
      refuse(response, 403, runtimeErrors.error("METRICS_CLIENT_REFUSED", `${actor} may not read metrics`));
    } else if (message.method !== "GET" || message.url !== METRICS_PATH) {
      refuse(response, 404, runtimeErrors.error("HTTP_NO_ROUTE", `no route ${message.method} ${message.url}`));
    } else {
      registry.metrics().then(
        (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
        (thrown: unknown) => {
          log.error({ err: thrown }, "cannot read the metrics");
          refuse(response, 500, runtimeErrors.error("SERVICE_INTERNAL", "the service failed"));
        },
      );
    }
  };
  return createMutualServer({ tls, listener, events });
}

function refuse(response: ServerResponse, status: number, error: TrustKernError): void {
  // Nobody who is refused has anything to send.
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(`${JSON.stringify({ error: errorBody(error) })}\n`);
}
