import { derSignature } from "../../certs/signers/der-signature.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { preAuthenticationEncoding, renderDsse } from "../../protocol/dsse.ts";
import { toLowS } from "../../protocol/low-s.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";

/**
 * Signs a payload: a DSSE envelope on one line, with one ECDSA P-256 signature in DER with the lower s, as openssl and cosign verify it, and the
 * fingerprint of its key as `keyid`.
 * @throws every SIGNER_ code
 */
export async function sealFile(payloadType: string, payload: Uint8Array, signer: KeySigner): Promise<string> {
  const signed = preAuthenticationEncoding(payloadType, payload);
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  const plain = new Uint8Array(await signer.crypto.subtle.sign(algorithm, signer.signingKey, new Uint8Array(signed)));
  const keyid = fingerprintOf(signer.publicKeySpki);
  return `${renderDsse(payloadType, payload, { keyid, sig: derSignature(toLowS(plain)) })}\n`;
}
