import { status } from "@grpc/grpc-js";
import type { TrustKernError } from "../shared/errors.ts";

/** The gRPC status of an error of custody, where its exit code does not say it. */
export function kemStatus({ code }: TrustKernError): status | undefined {
  if (code === "CUSTODY_SEALED") return status.FAILED_PRECONDITION;
  return code === "CUSTODY_KEM_RATE" ? status.RESOURCE_EXHAUSTED : undefined;
}
