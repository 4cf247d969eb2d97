import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import { guardMutualTls, type MutualTlsOptions, mutualTlsOptions, nameOf } from "./mutual-tls.ts";

/** Bounds on what a client may occupy. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 10_000, maxHeaderSize: 8192 };

/** What {@link createMutualServer} serves. */
export interface MutualServerOptions extends MutualTlsOptions {
  readonly listener: RequestListener;
}

/** An HTTPS server of mutual TLS, guarded as {@link guardMutualTls} says. */
export function createMutualServer({ listener, ...options }: MutualServerOptions): Server {
  const server = createServer({ ...mutualTlsOptions(options), ...LIMITS }, listener);
  guardMutualTls(server, options, () => server.closeIdleConnections());
  return server;
}

/** The common name of the client that sent a request, or null when its certificate gives it none. */
export function callerOf(message: IncomingMessage): string | null {
  return nameOf(message.socket as TLSSocket);
}
