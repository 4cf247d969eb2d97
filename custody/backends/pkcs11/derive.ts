import { generateKeyPairSync } from "node:crypto";
import type { Pkcs11Session } from "../../../certs/signers/pkcs11-session.ts";
import { dhkemSharedSecret, hpkeDecapsulate } from "../../../protocol/hpke.ts";

const KEY_BYTES = 32;

/**
 * The KEM's shared secret (32 bytes) of an encapsulated key, or null for one that RFC 9180 refuses (section 7.1.4): derive, read,
 * destroy, and no other call. The Diffie-Hellman output leaves the token, the private key does not.
 * @param key handle of the private key, whose raw public half is `rawPublic`
 */
export function sharedSecret(
  session: Pkcs11Session,
  key: Buffer,
  rawPublic: Uint8Array,
  enc: Uint8Array,
): Uint8Array | null {
  if (enc.length !== KEY_BYTES) return null;
  const dh = diffieHellman(session, key, Buffer.from(enc));
  if (dh === null) return null;
  const secret = dhkemSharedSecret(dh, enc, rawPublic);
  dh.fill(0);
  return secret;
}

/** The output of X25519, or null for a point of low order, which some tokens refuse with no word of its own. */
function diffieHellman(session: Pkcs11Session, key: Buffer, point: Buffer): Buffer | null {
  try {
    return deriveOnToken(session, key, point);
  } catch (thrown) {
    if (isLowOrder(point)) return null;
    throw thrown;
  }
}

/** X25519 of such a point is zero with every private key (RFC 7748, section 6.1), and so with one of this process as well. */
function isLowOrder(point: Buffer): boolean {
  try {
    hpkeDecapsulate(generateKeyPairSync("x25519").privateKey, point);
    return false;
  } catch {
    return true;
  }
}

/**
 * X25519 of a key on the token and a point (RFC 7748, section 5), 32 bytes.
 * @param publicData u-coordinate of the point, 32 bytes
 */
export function deriveOnToken(session: Pkcs11Session, key: Buffer, publicData: Buffer): Buffer {
  const { lib, api, handle } = session;
  const parameter = { type: lib.CK_PARAMS_EC_DH, kdf: lib.CKD_NULL, publicData };
  const output = api.C_DeriveKey(handle, { mechanism: lib.CKM_ECDH1_DERIVE, parameter }, key, [
    { type: lib.CKA_CLASS, value: lib.CKO_SECRET_KEY },
    { type: lib.CKA_KEY_TYPE, value: lib.CKK_GENERIC_SECRET },
    { type: lib.CKA_TOKEN, value: false },
    { type: lib.CKA_PRIVATE, value: false },
    { type: lib.CKA_SENSITIVE, value: false },
    { type: lib.CKA_EXTRACTABLE, value: true },
    { type: lib.CKA_VALUE_LEN, value: KEY_BYTES },
  ]);
  try {
    return attribute(session, output, lib.CKA_VALUE);
  } finally {
    api.C_DestroyObject(handle, output);
  }
}

/** The value of an object's attribute. */
export function attribute({ api, handle }: Pkcs11Session, object: Buffer, type: number): Buffer {
  const [read] = api.C_GetAttributeValue(handle, object, [{ type }]);
  return read?.value as Buffer;
}
