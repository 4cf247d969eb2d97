import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import { type PeerSubject, peerName } from "../../certs/peer-name.ts";
import type { EventLimiter } from "./event-limiter.ts";
import { mutualTls, type Tls13Options } from "./tls.ts";

/** Bounds on what a client may occupy. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000, maxHeaderSize: 8192 };
const MAX_CONNECTIONS = 256;

/** What {@link createMutualServer} serves. */
export interface MutualServerOptions {
  readonly tls: Tls13Options;
  readonly listener: RequestListener;
  readonly events: Pick<EventLimiter, "report">;
}

/** An HTTPS server: TLS 1.3, client certificates required, an event for each handshake that fails. */
export function createMutualServer({ tls, listener, events }: MutualServerOptions): Server {
  const server = createServer({ ...tls, ...mutualTls, ...LIMITS }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // Node closes a connection with a certificate that it does not trust, and calls it a reset.
    const reason = String(socket.authorizationError ?? error.code ?? error.message);
    // A client that went away before the handshake was over has failed at nothing.
    if (reason === "ECONNRESET") return;
    const sourceAddress = socket.remoteAddress ?? null;
    events.report({ kind: "AUTH_FAILED", actor: "unknown", sourceAddress, object: "tls", reason });
  });
  return server;
}

/** The common name of the client that sent a request, or null when its certificate gives it none. */
export function callerOf(message: IncomingMessage): string | null {
  const socket = message.socket as TLSSocket;
  return socket.authorized ? peerName(socket.getPeerCertificate().subject as PeerSubject | undefined) : null;
}
