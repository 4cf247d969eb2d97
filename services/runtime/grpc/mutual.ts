import { createServer, type Server, type TLSSocket } from "node:tls";
import { GRACE_MS, guardMutualTls, type MutualTlsOptions, mutualTlsOptions, nameOf } from "../mutual-tls.ts";
import type { GrpcServer } from "./server.ts";

/** Who may speak gRPC to a server of mutual TLS. */
export interface GrpcMutualOptions extends MutualTlsOptions {
  /** The one common name that may. */
  readonly client: string;
  /** Hears of each other name whose certificate is valid; it is refused before it can say anything. */
  readonly onStranger: (name: string) => void;
}

/** A TLS server, not yet listening, that hands the connections of one identity to gRPC. */
export function createMutualGrpc(grpc: GrpcServer, options: GrpcMutualOptions): Server {
  const { client, events, onStranger } = options;
  const server = createServer({ ...mutualTlsOptions(options), ALPNProtocols: ["h2"] });
  guardMutualTls(server, options, () => grpc.drain(GRACE_MS));
  server.on("secureConnection", (socket: TLSSocket) => {
    // Whoever had its share of connections is gone already.
    if (socket.destroyed) return;
    const name = nameOf(socket) ?? "unknown";
    if (name === client) {
      grpc.serve(socket);
      return;
    }
    socket.destroy();
    const sourceAddress = socket.remoteAddress ?? null;
    events.report({ kind: "AUTH_FAILED", actor: name, sourceAddress, object: "tls", reason: "wrong-identity" });
    onStranger(name);
  });
  return server;
}
