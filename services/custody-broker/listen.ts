import type { EventLimiter } from "../runtime/event-limiter.ts";
import { createMutualGrpc } from "../runtime/grpc/mutual.ts";
import type { GrpcServer } from "../runtime/grpc/server.ts";
import { serveUnix } from "../runtime/grpc/unix.ts";
import { listenTcp } from "../runtime/listen.ts";
import type { ServiceContext } from "../runtime/run.ts";
import type { CustodyBrokerConfig } from "./config.ts";

/** The one identity that may have messages opened. */
export const CLIENT = "svc-collector";

/** Where the broker listens. */
export interface Listening {
  /** Of the TCP address; none on a Unix socket. */
  readonly port: number | undefined;
  readonly close: () => Promise<void>;
}

/**
 * Listens for the collector: on a Unix socket, where its folder is what says who connects, or on TCP, where its certificate
 * does.
 * @param onStranger hears of each other identity
 * @throws CONTROL_SOCKET_IN_USE, CONTROL_SOCKET_PATH, PORT_IN_USE, SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID
 */
export async function listenForCollector(
  grpc: GrpcServer,
  { config, tls }: Pick<ServiceContext<CustodyBrokerConfig>, "config" | "tls">,
  events: Pick<EventLimiter, "report">,
  onStranger: (name: string) => void,
): Promise<Listening> {
  const { listen } = config;
  if (listen.kind === "unix") return { port: undefined, close: await serveUnix(grpc, listen.socket) };
  const server = createMutualGrpc(grpc, { tls: tls(listen.tls), client: CLIENT, events, onStranger });
  const port = await listenTcp(server, listen.address);
  return {
    port,
    close: async () => {
      server.close();
      grpc.close();
    },
  };
}
