import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { type PeerSubject, peerName } from "../../certs/peer-name.ts";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { jsonListener, type Route } from "../runtime/http.ts";
import { mutualTls, type Tls13Options } from "../runtime/tls.ts";
import { mayCall } from "./access.ts";
import { backendErrors } from "./errors.ts";

/** What {@link createBackendServer} serves. */
export interface BackendServerOptions {
  readonly tls: Tls13Options;
  readonly routes: readonly Route[];
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "error">;
}

/** Bounds on what a client may occupy. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000, maxHeaderSize: 8192 };
const MAX_CONNECTIONS = 256;

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
  const server = createServer({ ...tls, ...mutualTls, ...LIMITS }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // A client that went away before the handshake was over has failed at nothing.
    if (error.code === "ECONNRESET") return;
    const sourceAddress = socket.remoteAddress ?? null;
    events.report({
      kind: "AUTH_FAILED",
      actor: "unknown",
      sourceAddress,
      object: "tls",
      reason: error.code ?? error.message,
    });
  });
  return server;
}

function callerOf(message: IncomingMessage): string | null {
  const socket = message.socket as TLSSocket;
  return socket.authorized ? peerName(socket.getPeerCertificate().subject as PeerSubject | undefined) : null;
}

function nameOf(message: IncomingMessage): string {
  return callerOf(message) ?? "unknown";
}
