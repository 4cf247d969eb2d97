import type { Duplex } from "node:stream";
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { Metadata, Server, ServerCredentials, type ServerErrorResponse, status } from "@grpc/grpc-js";
import { EXIT, messageOf, TrustKernError } from "../../../shared/errors.ts";
import { CODE_METADATA } from "../../../shared/grpc/client.ts";
import { MALFORMED, type Methods, serviceDefinition } from "../../../shared/grpc/definition.ts";
import { runtimeErrors } from "../errors.ts";

/** What answers the methods of a service. */
export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: (request: MessageShape<M[K]["input"]>) => Promise<MessageInitShape<M[K]["output"]>>;
};

/** How a gRPC server is bounded. */
export interface GrpcServerOptions {
  /** Longest message that it takes. */
  readonly maxMessageBytes: number;
  /** Requests of one connection at a time. @default 64 */
  readonly maxStreams?: number;
  /** Status of an error, where its exit code does not say it. @default by exit code */
  readonly statusOf?: (error: TrustKernError) => status | undefined;
  /** Hears of each request that was refused, before its answer is sent. */
  readonly onRefused?: (thrown: unknown) => void;
}

/** Speaks gRPC on connections that it is handed; it listens on nothing by itself. */
export interface GrpcServer {
  readonly add: <M extends Methods>(service: GenService<M>, handlers: Handlers<M>) => void;
  /** Takes over a connection whose peer is known. */
  readonly serve: (connection: Duplex) => void;
  /** Ends all connections, with a short time for what is on its way. */
  readonly drain: (graceMs: number) => void;
  /** Ends all connections at once: a client asks again what has no answer. */
  readonly close: () => void;
}

const STATUS_OF_EXIT: Readonly<Record<number, status>> = {
  [EXIT.configuration]: status.INVALID_ARGUMENT,
  [EXIT.authentication]: status.PERMISSION_DENIED,
  [EXIT.notFound]: status.NOT_FOUND,
  [EXIT.policy]: status.FAILED_PRECONDITION,
  [EXIT.resource]: status.UNAVAILABLE,
  [EXIT.timeout]: status.UNAVAILABLE,
};

const MAX_STREAMS = 64;
/** What nghttp2 may hold for one connection beside the messages, in megabytes. */
const SESSION_MEMORY = 4;

/** A gRPC server without compression, reflection or a listener. An error of ours is answered with its code in the metadata. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_concurrent_streams": options.maxStreams ?? MAX_STREAMS,
    "grpc-node.max_session_memory": SESSION_MEMORY,
    "grpc.enable_channelz": 0,
  });
  const connections = new Set<Duplex>();
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    add: (service, handlers) => {
      const methods = Object.entries(service.method).map(([name, { output }]) => {
        const handler = (handlers as Readonly<Record<string, unknown>>)[name] as AnyHandler;
        return [name, unary(output, handler, options)] as const;
      });
      server.addService(serviceDefinition(service), Object.fromEntries(methods));
    },
    serve: (connection) => {
      // Whoever goes away in the middle of a frame has broken nothing.
      connection.on("error", () => undefined).once("close", () => connections.delete(connection));
      connections.add(connection);
      injector.injectConnection(connection);
    },
    drain: (graceMs) => injector.drain(graceMs),
    close: () => {
      server.forceShutdown();
      for (const connection of connections) connection.destroy();
    },
  };
}

type AnyHandler = (request: unknown) => Promise<MessageInitShape<DescMessage>>;
type Answer = (error: ServerErrorResponse | null, value?: MessageShape<DescMessage>) => void;

function unary(output: DescMessage, handler: AnyHandler, { statusOf, onRefused }: GrpcServerOptions) {
  return (call: { readonly request: unknown }, answer: Answer): void => {
    const run = async (): Promise<MessageShape<DescMessage>> => {
      if (call.request === MALFORMED)
        throw runtimeErrors.error("GRPC_MALFORMED", "the request is no message of its type");
      return create(output, await handler(call.request));
    };
    run().then(
      (value) => answer(null, value),
      (thrown: unknown) => {
        onRefused?.(thrown);
        const error = thrown instanceof TrustKernError ? thrown : internal();
        const metadata = new Metadata();
        metadata.set(CODE_METADATA, error.code);
        const code = statusOf?.(error) ?? STATUS_OF_EXIT[error.exit] ?? status.INTERNAL;
        answer(Object.assign(new Error(error.code), { code, details: messageOf(error), metadata }));
      },
    );
  };
}

function internal(): TrustKernError {
  return runtimeErrors.error("SERVICE_INTERNAL", "the service failed");
}
