import { derSignature } from "../../certs/signers/der-signature.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { preAuthenticationEncoding, renderDsse } from "../../protocol/dsse.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { PAYLOAD_TYPE, renderStatement, type Statement, statementSchema } from "./schema/statement.ts";

/**
 * Signs a statement: a DSSE envelope on one line, with one ECDSA P-256 signature in DER, as openssl and cosign verify it, and the
 * fingerprint of its key as `keyid`.
 * @throws ZodError for a statement that is none, which is a bug of ours; every SIGNER_ code
 */
export async function sealStatement(statement: Statement, signer: KeySigner): Promise<string> {
  const payload = renderStatement(statementSchema.parse(statement));
  const signed = preAuthenticationEncoding(PAYLOAD_TYPE, payload);
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  const plain = new Uint8Array(await signer.crypto.subtle.sign(algorithm, signer.signingKey, new Uint8Array(signed)));
  const keyid = fingerprintOf(signer.publicKeySpki);
  return `${renderDsse(PAYLOAD_TYPE, payload, { keyid, sig: derSignature(plain) })}\n`;
}
