import { base64url, type CompactJWSHeaderParameters, compactVerify } from "jose";
import { CURVE_HASH, type KeySigner } from "./signer.ts";

const ALGORITHMS = { "P-256": "ES256", "P-384": "ES384" } as const;

/**
 * A compact JWS (RFC 7515, section 7.1) by a key that jose cannot reach, because it is on a device: the signing input is
 * signed where the key is, and jose verifies the whole.
 * @param header the protected header but for `alg`, which follows from the curve
 */
export async function signJws(
  signer: KeySigner,
  header: Omit<CompactJWSHeaderParameters, "alg">,
  payload: Uint8Array,
): Promise<string> {
  const protectedHeader = base64url.encode(JSON.stringify({ alg: ALGORITHMS[signer.curve], ...header }));
  const input = `${protectedHeader}.${base64url.encode(payload)}`;
  const algorithm = { name: "ECDSA", hash: CURVE_HASH[signer.curve] } as const;
  const signature = await signer.crypto.subtle.sign(algorithm, signer.signingKey, Buffer.from(input, "ascii"));
  const jws = `${input}.${base64url.encode(new Uint8Array(signature))}`;
  await compactVerify(jws, signer.publicKey);
  return jws;
}
