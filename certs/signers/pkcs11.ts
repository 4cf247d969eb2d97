import { createHash, webcrypto } from "node:crypto";
import { ECParameters, id_secp256r1, id_secp384r1 } from "@peculiar/asn1-ecc";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import type * as pkcs11js from "pkcs11js";
import { deviceSigner } from "./device-signer.ts";
import { signersErrors } from "./errors.ts";
import { guarded, openPkcs11, type Pkcs11Session, type Pkcs11Token } from "./pkcs11-session.ts";
import { COORDINATE_BYTES, type Curve, type KeySigner } from "./signer.ts";

/** A key pair on a token, by its label (CKA_LABEL), which both halves have. */
export interface Pkcs11Key extends Pkcs11Token {
  readonly label: string;
}

const CURVE_OIDS: Readonly<Record<Curve, string>> = { "P-256": id_secp256r1, "P-384": id_secp384r1 };

/**
 * Makes a key pair on the token: sensitive, never extractable, for signatures alone.
 * @throws SIGNER_KEY_EXISTS, SIGNER_CURVE_UNSUPPORTED, and what {@link loadPkcs11Signer} throws
 */
export async function createPkcs11Signer(key: Pkcs11Key, curve: Curve): Promise<KeySigner> {
  return withSession(key, async (session) => {
    if (objects(session, session.lib.CKO_PRIVATE_KEY, key.label).length > 0) {
      const message = `the token "${key.token}" has a key "${key.label}" already`;
      throw signersErrors.error("SIGNER_KEY_EXISTS", message, { path: whereOf(key) });
    }
    guarded(key, () => {
      // What a making that was cut short left: it would make the pair's public half ambiguous.
      for (const half of objects(session, session.lib.CKO_PUBLIC_KEY, key.label)) {
        session.api.C_DestroyObject(session.handle, half);
      }
      generate(session, key.label, curve);
    });
    return signerOf(session, key, curve);
  });
}

/**
 * A signer of a key that is on the token.
 * @throws SIGNER_ADDON_MISSING, SIGNER_MODULE_MISSING, SIGNER_TOKEN_MISSING, SIGNER_SECRET_UNREADABLE, SIGNER_PIN_WRONG,
 * SIGNER_PIN_LOCKED, SIGNER_KEY_MISSING, SIGNER_KEY_EXTRACTABLE, SIGNER_CURVE_UNSUPPORTED, SIGNER_FAILED
 */
export async function loadPkcs11Signer(key: Pkcs11Key): Promise<KeySigner> {
  return withSession(key, (session) => signerOf(session, key));
}

/**
 * The private half of a key pair on the session's token, which keeps it.
 * @throws SIGNER_KEY_MISSING, SIGNER_KEY_EXTRACTABLE; and raw, what the token says when the session is lost
 */
export function findSigningKey(session: Pkcs11Session, key: Pkcs11Key): Buffer {
  const secret = only(objects(session, session.lib.CKO_PRIVATE_KEY, key.label), key);
  assertKept(session, secret, key);
  return secret;
}

/** ECDSA of a digest with a key that {@link findSigningKey} found. */
export function signDigest({ lib, api, handle }: Pkcs11Session, secret: Buffer, digest: Buffer, curve: Curve): Buffer {
  api.C_SignInit(handle, { mechanism: lib.CKM_ECDSA }, secret);
  return api.C_Sign(handle, digest, Buffer.alloc(2 * COORDINATE_BYTES[curve]));
}

async function withSession(key: Pkcs11Key, run: (session: Pkcs11Session) => Promise<KeySigner>): Promise<KeySigner> {
  const session = await openPkcs11(key);
  try {
    return await run(session);
  } catch (thrown) {
    session.close();
    throw thrown;
  }
}

function generate({ lib, api, handle }: Pkcs11Session, label: string, curve: Curve): void {
  // Programs that find a pair by one half look for the other by this identifier.
  const id = createHash("sha256").update(label).digest().subarray(0, 8);
  const params = Buffer.from(AsnConvert.serialize(new ECParameters({ namedCurve: CURVE_OIDS[curve] })));
  const common = [
    { type: lib.CKA_TOKEN, value: true },
    { type: lib.CKA_LABEL, value: label },
    { type: lib.CKA_ID, value: id },
  ];
  api.C_GenerateKeyPair(
    handle,
    { mechanism: lib.CKM_EC_KEY_PAIR_GEN },
    [...common, { type: lib.CKA_EC_PARAMS, value: params }, { type: lib.CKA_VERIFY, value: true }],
    [
      ...common,
      { type: lib.CKA_PRIVATE, value: true },
      { type: lib.CKA_SENSITIVE, value: true },
      { type: lib.CKA_EXTRACTABLE, value: false },
      { type: lib.CKA_SIGN, value: true },
    ],
  );
}

async function signerOf(session: Pkcs11Session, key: Pkcs11Key, wanted?: Curve): Promise<KeySigner> {
  const secret = guarded(key, () => findSigningKey(session, key));
  const point = only(objects(session, session.lib.CKO_PUBLIC_KEY, key.label), key);
  const { curve, publicKeySpki } = await publicOf(session, point, key);
  if (wanted !== undefined && wanted !== curve) {
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", `the token made a key on ${curve}`, { path: whereOf(key) });
  }
  return deviceSigner({
    publicKeySpki,
    curve,
    where: whereOf(key),
    signDigest: async (digest) => guarded(key, () => signDigest(session, secret, digest, curve)),
    close: async () => session.close(),
  });
}

function assertKept({ lib, api, handle }: Pkcs11Session, secret: Buffer, key: Pkcs11Key): void {
  const [extractable] = api.C_GetAttributeValue(handle, secret, [{ type: lib.CKA_EXTRACTABLE }]);
  if (Buffer.from(extractable?.value as Buffer)[0] === 0) return;
  throw signersErrors.error("SIGNER_KEY_EXTRACTABLE", "the key can be read out of its token", { path: whereOf(key) });
}

async function publicOf({ lib, api, handle }: Pkcs11Session, object: Buffer, key: Pkcs11Key) {
  const [params, point] = guarded(key, () =>
    api.C_GetAttributeValue(handle, object, [{ type: lib.CKA_EC_PARAMS }, { type: lib.CKA_EC_POINT }]),
  );
  const { namedCurve } = AsnConvert.parse(params?.value as Buffer, ECParameters);
  const curve = (["P-256", "P-384"] as const).find((each) => CURVE_OIDS[each] === namedCurve);
  if (curve === undefined) {
    const message = `the key is on the curve ${namedCurve}, and not on P-256 or P-384`;
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message, { path: whereOf(key) });
  }
  const raw = AsnConvert.parse(point?.value as Buffer, OctetString).buffer;
  const imported = await webcrypto.subtle.importKey("raw", raw, { name: "ECDSA", namedCurve: curve }, true, ["verify"]);
  return { curve, publicKeySpki: Buffer.from(await webcrypto.subtle.exportKey("spki", imported)) };
}

function objects({ lib, api, handle }: Pkcs11Session, objectClass: number, label: string): readonly Buffer[] {
  const template: pkcs11js.Template = [
    { type: lib.CKA_CLASS, value: objectClass },
    { type: lib.CKA_LABEL, value: label },
  ];
  api.C_FindObjectsInit(handle, template);
  try {
    return api.C_FindObjects(handle, 2);
  } finally {
    api.C_FindObjectsFinal(handle);
  }
}

function only(found: readonly Buffer[], key: Pkcs11Key): Buffer {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const message = first === undefined ? "there is no such key" : "more than one key has this label";
  throw signersErrors.error("SIGNER_KEY_MISSING", message, { path: whereOf(key) });
}

function whereOf({ token, label }: Pkcs11Key): string {
  return `pkcs11:token=${token};object=${label}`;
}
