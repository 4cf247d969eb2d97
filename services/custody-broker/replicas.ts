import type { Logger } from "pino";
import { kemStatus as statusOf } from "../../custody/kem-status.ts";
import { Replication } from "../../custody/proto/custody_pb.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { createMutualGrpc } from "../runtime/grpc/mutual.ts";
import { createGrpcServer } from "../runtime/grpc/server.ts";
import { listenTcp } from "../runtime/listen.ts";
import type { ServiceContext } from "../runtime/run.ts";
import type { CustodyBrokerConfig } from "./config.ts";
import type { CustodyLink } from "./custody-link.ts";
import { followWriter } from "./follow-writer.ts";
import { replicationHandlers } from "./replication-service.ts";

/** The one identity that may ask for a custody's state: another custody's broker. */
const BROKER = "svc-custody-broker";
/** A question has 32 bytes and a digest. */
const MAX_MESSAGE_BYTES = 1024;

/** What {@link runReplicas} works with. */
export interface ReplicasOptions extends Pick<ServiceContext<CustodyBrokerConfig>, "tls"> {
  readonly replicas: NonNullable<CustodyBrokerConfig["replicas"]>;
  readonly link: CustodyLink;
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** Hears of each other identity. */
  readonly onStranger: (name: string) => void;
}

/** A broker among others. */
export interface RunningReplicas {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Answers other custody brokers, and asks the writer's.
 * @throws PORT_IN_USE, SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID
 */
export async function runReplicas(options: ReplicasOptions): Promise<RunningReplicas> {
  const { replicas, link, events, log, onStranger } = options;
  const tls = options.tls(replicas.tls);
  const grpc = createGrpcServer({
    maxMessageBytes: MAX_MESSAGE_BYTES,
    statusOf,
    onRefused: (thrown) => {
      if (!(thrown instanceof TrustKernError)) log.error({ err: thrown }, "a request failed");
    },
  });
  grpc.add(Replication, replicationHandlers(link));
  const server = createMutualGrpc(grpc, { tls, client: BROKER, events, onStranger });
  const port = await listenTcp(server, replicas.address);
  const closed = new AbortController();
  void followWriter({ replicas, tls, link, events, log, signal: closed.signal });
  return {
    port,
    close: async () => {
      closed.abort();
      server.close();
      grpc.close();
    },
  };
}
