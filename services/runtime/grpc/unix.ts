import { createServer } from "node:net";
import { listenUnix } from "../unix-socket.ts";
import type { GrpcServer } from "./server.ts";

/** Connections to one socket: a handful of processes of this host, each with a few. */
const MAX_CONNECTIONS = 64;

/**
 * Serves gRPC on a Unix socket of mode 0600; the function that it gives closes it.
 * @throws CONTROL_SOCKET_IN_USE, CONTROL_SOCKET_PATH
 */
export async function serveUnix(grpc: GrpcServer, path: string): Promise<() => Promise<void>> {
  const server = createServer(grpc.serve);
  server.maxConnections = MAX_CONNECTIONS;
  await listenUnix(server, path);
  return async () => {
    server.close();
    grpc.close();
  };
}
