import { createServer } from "node:http";
import type { Logger } from "pino";
import { TrustKernError } from "../../shared/errors.ts";
import { jsonListener, type Route } from "./http.ts";
import { listenUnix } from "./unix-socket.ts";

/** A route that a service adds to its control socket. */
export type ControlRoute = Route;

/** What {@link startControl} serves. */
export interface ControlOptions {
  readonly socketPath: string;
  readonly status: () => object;
  /** Asked at every request, since a service knows its routes only once it has started. */
  readonly routes: () => readonly ControlRoute[];
  readonly log: Pick<Logger, "error">;
}

/** A running control socket. */
export interface Control {
  readonly close: () => Promise<void>;
}

/**
 * Serves `GET /status` and the service's own routes as JSON over HTTP on a Unix socket of mode 0600.
 * @throws CONTROL_SOCKET_IN_USE
 * @throws CONTROL_SOCKET_PATH
 */
export async function startControl({ socketPath, status, routes, log }: ControlOptions): Promise<Control> {
  const statusRoute: ControlRoute = { method: "GET", path: "/status", handler: status };
  const server = createServer(
    jsonListener({
      routes: () => [statusRoute, ...routes()],
      onError: (thrown, message) => {
        if (!(thrown instanceof TrustKernError)) log.error({ err: thrown, url: message.url }, "control request failed");
      },
    }),
  );
  await listenUnix(server, socketPath);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
