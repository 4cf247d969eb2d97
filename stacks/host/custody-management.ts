import { type Generation, Management } from "../../custody/proto/custody_pb.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { type GrpcClient, grpcClient, grpcErrors } from "../../shared/grpc/client.ts";
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

/**
 * A client of custody's management socket, which only this host's user may open; close it after use. Where custody does not run, its
 * calls throw GRPC_UNREACHABLE with how it is brought up.
 */
export function custodyManagement(socketPath: string): CustodyManagement {
  const client = grpcClient(Management, { address: `unix:${socketPath}` });
  const call: CustodyManagement["call"] = async (method, request, limitMs) => {
    try {
      return await client.call(method, request, limitMs);
    } catch (thrown) {
      if (thrown instanceof TrustKernError && thrown.code === "GRPC_UNREACHABLE") throw unreachable(thrown, socketPath);
      throw thrown;
    }
  };
  return { call, close: client.close };
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

const START_FIX =
  "bring it up with `trustkern up` (engine embedded) or `trustkern deploy` (engines docker and kubernetes, where `trustkern status` shows what runs)";

function unreachable(thrown: TrustKernError, path: string): TrustKernError {
  const details = { path, fix: START_FIX, cause: thrown };
  if (thrown.message.includes("DEADLINE_EXCEEDED"))
    return grpcErrors.error("GRPC_UNREACHABLE", "custody did not answer in time", details);
  if (!thrown.message.includes("EACCES"))
    return grpcErrors.error(
      "GRPC_UNREACHABLE",
      "custody does not run: nobody answers at its management socket",
      details,
    );
  const fix = "run it as the user that runs the deployment";
  return grpcErrors.error("GRPC_UNREACHABLE", "this user may not open custody's management socket", {
    ...details,
    fix,
  });
}
