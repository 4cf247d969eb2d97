import type { Refusal } from "../../custody/kem-frames.ts";
import { TrustKernError } from "../../shared/errors.ts";

const REASON_OF_CODE: Readonly<Record<string, Refusal["reason"]>> = {
  CUSTODY_KEM_RATE: "rate",
  CUSTODY_KEM_MALFORMED: "malformed",
  GRPC_MALFORMED: "malformed",
  CUSTODY_SEALED: "sealed",
};

/** Under which reason a failed request is recorded; null for what custody failed at, which is no refusal. */
export function refusalOf(thrown: unknown): Refusal["reason"] | null {
  return thrown instanceof TrustKernError ? (REASON_OF_CODE[thrown.code] ?? null) : null;
}
