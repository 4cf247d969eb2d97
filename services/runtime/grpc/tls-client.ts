import { isIPv6 } from "node:net";
import { createSecureContext } from "node:tls";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { credentials } from "@grpc/grpc-js";
import { type GrpcClient, grpcClient } from "../../../shared/grpc/client.ts";
import type { Methods } from "../../../shared/grpc/definition.ts";
import type { Tls13Options } from "../tls.ts";
import type { ServerAddress } from "./handshake.ts";
import { identityProblem } from "./server-identity.ts";

/** A client of a gRPC server of ours over mutual TLS. By address, so that each has its own connection; who it is, its certificate says. */
export function grpcTlsClient<M extends Methods>(
  service: GenService<M>,
  { address, port, servername }: ServerAddress,
  tls: Tls13Options,
): GrpcClient<M> {
  const context = createSecureContext({ ...tls });
  return grpcClient(service, {
    address: isIPv6(address) ? `ipv6:[${address}]:${port}` : `ipv4:${address}:${port}`,
    servername,
    credentials: credentials.createFromSecureContext(context, {
      checkServerIdentity: (_, certificate) => identityProblem(servername, certificate),
    }),
  });
}
