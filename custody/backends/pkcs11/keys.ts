import type { Pkcs11Session } from "../../../certs/signers/pkcs11-session.ts";
import { keyIdOf } from "../../../protocol/hpke.ts";
import { messageOf } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";
import type { StoredKey } from "../key-store.ts";
import { attribute, deriveOnToken } from "./derive.ts";

/** An X25519 key on a token. */
export interface TokenKey extends StoredKey {
  readonly rawPublic: Buffer;
  /** More than one after two imports of one key at once. */
  readonly handles: readonly Buffer[];
}

// PKCS #11 v3.0, section 6.3: not yet in the add-on's own names.
const CKM_EC_MONTGOMERY_KEY_PAIR_GEN = 0x1055;
/** CKK_EC_MONTGOMERY; and CKK_EC_EDWARDS, by which SoftHSM 2.6 calls keys on both kinds of curves. */
const KEY_TYPES = [0x41, 0x40];
/** id-X25519 (RFC 8410, section 3) in DER. */
const X25519_PARAMS = Buffer.from("06032b656e", "hex");
/** The u-coordinate 9 (RFC 7748, section 6.1): X25519 of it is the public key. */
const BASE_POINT = Buffer.concat([Buffer.of(9), Buffer.alloc(31)]);
const PAGE = 64;
/** The label of a key whose key id is not known yet. */
const NEW = "new";
/** What follows a prefix: the keys of prefix `a-kem` are no keys of prefix `a`. */
const KEY_NAME = /^([0-9a-f]{16}|new)$/;

function kemLabel(keyPrefix: string, keyId: string): string {
  return `${keyPrefix}-kem-${keyId}`;
}

/**
 * The keys that are labelled as this prefix's, each by the key id that the token itself computes: a label is no proof.
 * @throws CUSTODY_STORE_KEY_EXTRACTABLE; and raw, what the token says
 */
export function scanKeys(session: Pkcs11Session, keyPrefix: string): Map<string, TokenKey> {
  const start = kemLabel(keyPrefix, "");
  const own = (label: string): boolean => label.startsWith(start) && KEY_NAME.test(label.slice(start.length));
  const keys = new Map<string, TokenKey>();
  for (const handle of privateKeys(session)) {
    const label = attribute(session, handle, session.lib.CKA_LABEL).toString("utf8");
    if (!own(label)) continue;
    assertKept(session, handle, label);
    const key = readKey(session, handle);
    keys.set(key.keyId, { ...key, handles: [...(keys.get(key.keyId)?.handles ?? []), handle] });
  }
  return keys;
}

/**
 * Makes a key on the token. Its public half is an object of the session alone, so that the key is one object, which is there
 * or is not there.
 */
export function generateKey(session: Pkcs11Session, keyPrefix: string): TokenKey {
  const { lib, api, handle } = session;
  const { publicKey, privateKey } = api.C_GenerateKeyPair(
    handle,
    { mechanism: CKM_EC_MONTGOMERY_KEY_PAIR_GEN },
    [
      { type: lib.CKA_TOKEN, value: false },
      { type: lib.CKA_EC_PARAMS, value: X25519_PARAMS },
    ],
    privateTemplate(session, kemLabel(keyPrefix, NEW)),
  );
  api.C_DestroyObject(handle, publicKey);
  const key = readKey(session, privateKey);
  api.C_SetAttributeValue(handle, privateKey, [{ type: lib.CKA_LABEL, value: kemLabel(keyPrefix, key.keyId) }]);
  return key;
}

/**
 * Puts a raw private key of 32 bytes on the token, which gives it out no more.
 * @param keyId its key id
 * @throws CUSTODY_STORE_IMPORT_REFUSED; and raw, what the token says
 */
export function importPrivateKey(
  session: Pkcs11Session,
  privateKey: Uint8Array,
  keyPrefix: string,
  keyId: string,
): TokenKey {
  const label = kemLabel(keyPrefix, keyId);
  // A view: a copy would stay in memory.
  const value = Buffer.from(privateKey.buffer, privateKey.byteOffset, privateKey.length);
  const handle = createPrivateKey(session, value, label);
  const key = readKey(session, handle);
  if (key.keyId === keyId) return key;
  session.api.C_DestroyObject(session.handle, handle);
  throw importRefused(`the token takes the key for another, "${key.keyId}"`, label);
}

function createPrivateKey(session: Pkcs11Session, privateKey: Buffer, label: string): Buffer {
  const { lib, api, handle } = session;
  let said = "";
  for (const keyType of KEY_TYPES) {
    try {
      return api.C_CreateObject(handle, [
        { type: lib.CKA_CLASS, value: lib.CKO_PRIVATE_KEY },
        { type: lib.CKA_KEY_TYPE, value: keyType },
        ...privateTemplate(session, label),
        { type: lib.CKA_EC_PARAMS, value: X25519_PARAMS },
        { type: lib.CKA_VALUE, value: privateKey },
      ]);
    } catch (thrown) {
      said = messageOf(thrown);
      if (!REFUSES_IMPORT.test(said)) throw thrown;
    }
  }
  throw importRefused(`the token answers ${said}`, label);
}

// That there is an import, or what it says of the key (PKCS #11 v2.40, section 5.7).
const REFUSES_IMPORT =
  /CKR_(ATTRIBUTE_|TEMPLATE_|CURVE_|DOMAIN_PARAMS_|FUNCTION_NOT_SUPPORTED|ACTION_PROHIBITED|KEY_FUNCTION_NOT_PERMITTED)/;

function importRefused(message: string, path: string): Error {
  return custodyStoreErrors.error("CUSTODY_STORE_IMPORT_REFUSED", message, { path });
}

function readKey(session: Pkcs11Session, handle: Buffer): TokenKey {
  const rawPublic = deriveOnToken(session, handle, BASE_POINT);
  return {
    keyId: keyIdOf(rawPublic).toString("hex"),
    publicKey: rawPublic.toString("hex"),
    rawPublic,
    handles: [handle],
  };
}

function privateTemplate({ lib }: Pkcs11Session, label: string) {
  return [
    { type: lib.CKA_TOKEN, value: true },
    { type: lib.CKA_LABEL, value: label },
    { type: lib.CKA_PRIVATE, value: true },
    { type: lib.CKA_SENSITIVE, value: true },
    { type: lib.CKA_EXTRACTABLE, value: false },
    { type: lib.CKA_DERIVE, value: true },
  ];
}

function privateKeys({ lib, api, handle }: Pkcs11Session): readonly Buffer[] {
  const found: Buffer[] = [];
  api.C_FindObjectsInit(handle, [
    { type: lib.CKA_CLASS, value: lib.CKO_PRIVATE_KEY },
    { type: lib.CKA_DERIVE, value: true },
  ]);
  try {
    for (;;) {
      const page = api.C_FindObjects(handle, PAGE);
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  } finally {
    api.C_FindObjectsFinal(handle);
  }
}

function assertKept(session: Pkcs11Session, handle: Buffer, label: string): void {
  const { lib } = session;
  const kept =
    attribute(session, handle, lib.CKA_EXTRACTABLE)[0] === 0 && attribute(session, handle, lib.CKA_SENSITIVE)[0] === 1;
  if (kept) return;
  throw custodyStoreErrors.error("CUSTODY_STORE_KEY_EXTRACTABLE", "the key can be read out of its token", {
    path: label,
  });
}
