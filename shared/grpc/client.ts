import { create, type DescMethod, type Message, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { RemoteError } from "../control-client.ts";
import { catalogue, EXIT, type TrustKernError } from "../errors.ts";
import { type Methods, methodDefinition } from "./definition.ts";

/** Name of the metadata that carries the code of our error. */
export const CODE_METADATA = "trustkern-code";

/** Error codes of a gRPC call. */
export const grpcErrors = catalogue({
  GRPC_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "A service's gRPC socket does not answer, or not in time.",
    fix: "check that the deployment runs: `trustkern status`",
  },
  GRPC_FAILED: {
    exit: EXIT.failed,
    summary: "A service refused a gRPC call without a reason of ours.",
    fix: "run the command line and the services of one release, and read the service's log",
  },
});

/** Where a service is. */
export interface GrpcTarget {
  /** Such as `unix:/run/kem` or `dns:custody:7443`. */
  readonly address: string;
  /** @default none: a Unix socket, whose folder says who may connect */
  readonly credentials?: ChannelCredentials;
  /** Name that a TLS server is asked for, and that the check of {@link credentials} is handed. @default the address's */
  readonly servername?: string;
}

/** A client of one service. */
export interface GrpcClient<M extends Methods> {
  /**
   * Calls a method; it fails at once when nobody is there.
   * @throws GRPC_UNREACHABLE, GRPC_FAILED, and a {@link RemoteError} with the service's own code
   */
  readonly call: <K extends keyof M & string>(
    method: K,
    request: MessageInitShape<M[K]["input"]>,
    limitMs: number,
  ) => Promise<MessageShape<M[K]["output"]>>;
  readonly close: () => void;
}

/** Nothing of the surroundings is asked: no proxy, no service configuration, no retries but the caller's. */
const OPTIONS = {
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 250,
};

/** A client that connects at the first call, and again when it must. */
export function grpcClient<M extends Methods>(service: GenService<M>, target: GrpcTarget): GrpcClient<M> {
  const named = target.servername === undefined ? {} : { "grpc.ssl_target_name_override": target.servername };
  const client = new Client(target.address, target.credentials ?? credentials.createInsecure(), {
    ...OPTIONS,
    ...named,
  });
  return {
    call: (method, request, limitMs) => {
      const described: DescMethod = service.method[method];
      const { path, requestSerialize, responseDeserialize } = methodDefinition(service, described);
      const message = create(described.input, request as never);
      const options = { deadline: Date.now() + limitMs };
      const answer = new Promise<Message>((resolve, reject) => {
        const done = (error: ServiceError | null, response?: Message): void => {
          if (error || response === undefined) reject(failure(error, target.address));
          else resolve(response);
        };
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, new Metadata(), options, done);
      });
      // Of that method's type: its own schema has read it.
      return answer as Promise<never>;
    },
    close: () => client.close(),
  };
}

function failure(error: ServiceError | null, address: string): TrustKernError {
  const code = error?.metadata.get(CODE_METADATA)[0];
  const message = error?.details ?? "no answer";
  if (typeof code === "string") {
    const entry = { exit: EXIT.failed, summary: message, fix: `ask what it means: trustkern explain ${code}` };
    return new RemoteError(code, entry, message);
  }
  const away = error?.code === status.UNAVAILABLE || error?.code === status.DEADLINE_EXCEEDED;
  const name = status[error?.code ?? status.UNKNOWN];
  return grpcErrors.error(away ? "GRPC_UNREACHABLE" : "GRPC_FAILED", `${name}: ${message}`, { path: address });
}
