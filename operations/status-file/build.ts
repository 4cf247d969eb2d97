import type { KeySigner } from "../../certs/signers/signer.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { sealFile } from "../signed-file/seal.ts";
import { PAYLOAD_TYPE, STATUS_FILE_SCHEMA, type StatusFile, statusFileSchema } from "./schema.ts";

/** What a status file says besides when it was written and by whom. */
export type StatusFacts = Omit<StatusFile, "schema" | "writtenAt" | "signer">;

/** Who writes it, and when. */
export interface StatusWriter {
  readonly signer: KeySigner;
  readonly place: StatusFile["signer"]["place"];
  readonly writtenAt: Date;
}

/**
 * Signs what is known.
 * @returns the file, and what it says
 * @throws ZodError for facts that are none, which is a bug of ours; every SIGNER_ code
 */
export async function buildStatusFile(
  facts: StatusFacts,
  { signer, place, writtenAt }: StatusWriter,
): Promise<{ readonly file: string; readonly status: StatusFile }> {
  const status = statusFileSchema.parse({
    ...facts,
    schema: STATUS_FILE_SCHEMA,
    writtenAt: writtenAt.toISOString(),
    signer: { fingerprint: fingerprintOf(signer.publicKeySpki), place },
  });
  return { file: await sealFile(PAYLOAD_TYPE, Buffer.from(stableJson(status)), signer), status };
}
