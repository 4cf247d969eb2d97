import type { IncomingMessage } from "node:http";
import type { Server } from "node:https";
import type { Logger } from "pino";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { jsonListener, type Route } from "../runtime/http.ts";
import { callerOf, createMutualServer } from "../runtime/mutual-server.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import { mayCall } from "./access.ts";
import { backendErrors } from "./errors.ts";

/** What {@link createBackendServer} serves. */
export interface BackendServerOptions {
  readonly tls: Tls13Options;
  readonly routes: readonly Route[];
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "error">;
}

/** The HTTPS server: TLS 1.3 with client certificates, routes by the certificate's name, an event for each refusal. */
export function createBackendServer({ tls, routes, events, log }: BackendServerOptions): Server {
  const listener = jsonListener({
    routes: () => routes,
    admit: (message, pathname) => {
      if (!mayCall(callerOf(message), message.method ?? "", pathname))
        throw backendErrors.error("BACKEND_ROLE_REFUSED", `${nameOf(message)} may not ${message.method} ${pathname}`);
    },
    onError: (thrown, message) => {
      if (!(thrown instanceof TrustKernError) || thrown.exit === EXIT.resource || thrown.exit === EXIT.bug)
        log.error({ err: thrown, url: message.url }, "request failed");
      else if (thrown.exit === EXIT.authentication || thrown.exit === EXIT.policy)
        events.report({
          kind: "AUTH_FAILED",
          actor: nameOf(message),
          sourceAddress: message.socket.remoteAddress ?? null,
          object: `${message.method} ${message.url}`,
          reason: thrown.code,
        });
    },
  });
  return createMutualServer({ tls, listener, events });
}

function nameOf(message: IncomingMessage): string {
  return callerOf(message) ?? "unknown";
}
