import { deviceSigner } from "../../../certs/signers/device-signer.ts";
import { signersErrors } from "../../../certs/signers/errors.ts";
import {
  createPkcs11Signer,
  findSigningKey,
  loadPkcs11Signer,
  type Pkcs11Key,
  signDigest,
} from "../../../certs/signers/pkcs11.ts";
import type { Pkcs11Session, Pkcs11Token } from "../../../certs/signers/pkcs11-session.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";

// PKCS #11 v2.40, section 3.2: not among the add-on's own names.
const CKS_RW_USER_FUNCTIONS = 3;

/** Runs on the store's session, whichever that is by then. */
type OnSession = <R>(use: (session: Pkcs11Session) => R) => Promise<R>;

/**
 * The signer `<keyPrefix>-audit` (P-256) on a token. A store without keys gets one; a store that has keys and no signer lost
 * it. It signs on the store's own sessions, and so outlives each of them; that the key is the same is seen by every
 * signature, which is verified.
 * @param count of the store's keys
 * @throws CUSTODY_STORE_INCOMPLETE, every SIGNER_ code of a token
 */
export async function openTokenSigner(
  token: Pkcs11Token,
  keyPrefix: string,
  count: number,
  onSession: OnSession,
): Promise<KeySigner> {
  const key = { ...token, label: `${keyPrefix}-audit` };
  const signer = await loadOrCreate(key, count);
  await signer.close();
  const { publicKeySpki, curve, where } = signer;
  if (curve !== "P-256") {
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", `the signer is on ${curve}, accepted: P-256`, {
      path: where,
    });
  }
  return deviceSigner({
    publicKeySpki,
    curve,
    where,
    signDigest: (digest) =>
      onSession((session) => {
        assertLoggedIn(session);
        return signDigest(session, findSigningKey(session, key), digest, curve);
      }),
    close: async () => undefined,
  });
}

async function loadOrCreate(key: Pkcs11Key, count: number): Promise<KeySigner> {
  try {
    return await loadPkcs11Signer(key);
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "SIGNER_KEY_MISSING") throw thrown;
  }
  if (count === 0) return createPkcs11Signer(key, "P-256");
  const message = `the token has ${count} keys of this store, and no "${key.label}"`;
  throw custodyStoreErrors.error("CUSTODY_STORE_INCOMPLETE", message, { path: key.token });
}

/** A token shows no private object to a session that was logged out: that the key is missing would be a wrong verdict. */
function assertLoggedIn({ api, handle }: Pkcs11Session): void {
  if (api.C_GetSessionInfo(handle).state !== CKS_RW_USER_FUNCTIONS) throw new Error("CKR_USER_NOT_LOGGED_IN");
}
