import type { KeySigner } from "../../certs/signers/signer.ts";
import { sealFile } from "../signed-file/seal.ts";
import { PAYLOAD_TYPE, renderStatement, type Statement, statementSchema } from "./schema/statement.ts";

/**
 * Signs a statement, as {@link sealFile} does.
 * @throws ZodError for a statement that is none, which is a bug of ours; every SIGNER_ code
 */
export function sealStatement(statement: Statement, signer: KeySigner): Promise<string> {
  return sealFile(PAYLOAD_TYPE, renderStatement(statementSchema.parse(statement)), signer);
}
