import { type Generation, Management } from "../../custody/proto/custody_pb.ts";
import { type GrpcClient, grpcClient } from "../../shared/grpc/client.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";

/** What can be asked of custody's keys. */
export type CustodyManagement = GrpcClient<MethodsOf<typeof Management>>;

type Plain<T> = Omit<T, "$typeName" | "$unknown">;

/** One key pair as custody lists it. */
export type ListedGeneration = Omit<Plain<Generation>, "compromised"> & {
  readonly compromised?: Plain<NonNullable<Generation["compromised"]>> | undefined;
};

/** Longest wait for one answer, in milliseconds: a TPM or a token may take seconds for a key, and scrypt too. */
export const MANAGE_MS = 30_000;

/** A client of custody's management socket, which only this host's user may open; close it after use. */
export function custodyManagement(socketPath: string): CustodyManagement {
  return grpcClient(Management, { address: `unix:${socketPath}` });
}

/**
 * Every generation that custody has ever had, oldest first.
 * @throws GRPC_UNREACHABLE, CUSTODY_SEALED
 */
export async function listGenerations(socketPath: string): Promise<readonly ListedGeneration[]> {
  const management = custodyManagement(socketPath);
  try {
    return (await management.call("listGenerations", {}, MANAGE_MS)).generations;
  } finally {
    management.close();
  }
}
