import type { KeyStore } from "./key-store.ts";
import { askTransit, type TransitKey, transitError } from "./remote/vault-transit.ts";
import type { KeyWrap } from "./wrapped/key-wrap.ts";
import { openWrappedKeys } from "./wrapped/wrapped-keys.ts";

/** A folder of key files, which a transit engine of Vault or OpenBao wraps. */
export interface VaultStoreRef extends TransitKey {
  readonly kind: "vault";
  readonly folder: string;
}

/** Ciphers that bind associated data. */
const CIPHERS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305"];
const CIPHERTEXT = /^vault:v[1-9]\d*:[A-Za-z0-9+/]+={0,2}$/;
const NOT_OURS = /message authentication failed|invalid ciphertext/;

/**
 * Opens keys that a transit engine wraps, and makes an empty folder a store. The wrapping key stays in the engine; the
 * decryption keys go through it, and are in this process's memory while the store is open. The token's policy is `read` of
 * `<mount>/keys/<key>`, and `update` of `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>`.
 * @throws CUSTODY_STORE_WRAP_KEY_UNFIT when the wrapping key can be read out, what {@link askTransit} and
 * {@link openWrappedKeys} throw
 */
export async function openVaultStore(ref: VaultStoreRef): Promise<KeyStore> {
  await assertFit(ref);
  const where = `vault:address=${ref.address};key=${ref.mount}/${ref.key};folder=${ref.folder}`;
  const facts = { kind: "vault", custodyClass: "software", keysInUse: "in-memory", where } as const;
  return openWrappedKeys({ folder: ref.folder, wrap: transitWrap(ref), facts, shared: true });
}

function transitWrap(key: TransitKey): KeyWrap {
  return {
    wrap: async (bytes, context) => {
      const body = { plaintext: base64(bytes), associated_data: base64(Buffer.from(context)) };
      const { status, data, said } = await askTransit(key, "encrypt", body);
      const { ciphertext } = data;
      if (status === 200 && typeof ciphertext === "string" && CIPHERTEXT.test(ciphertext))
        return Buffer.from(ciphertext, "ascii");
      throw transitError(key, "CUSTODY_STORE_SERVICE_FAILED", `it encrypts nothing: ${said || "no ciphertext"}`);
    },
    unwrap: async (wrapped, context) => {
      const ciphertext = Buffer.from(wrapped).toString("latin1");
      if (!CIPHERTEXT.test(ciphertext)) return null;
      const body = { ciphertext, associated_data: base64(Buffer.from(context)) };
      const { status, data, said } = await askTransit(key, "decrypt", body);
      if (status === 200 && typeof data.plaintext === "string") return Buffer.from(data.plaintext, "base64");
      if (status === 400 && NOT_OURS.test(said)) return null;
      throw transitError(key, "CUSTODY_STORE_SERVICE_FAILED", `it decrypts nothing: ${said || "no plaintext"}`);
    },
    close: async () => undefined,
  };
}

/** Holds the wrapping key to what a wrap is worth: nobody can take it out of the engine. */
async function assertFit(key: TransitKey): Promise<void> {
  const { data } = await askTransit(key, "keys");
  const unfit = [
    data.exportable !== false && "it is exportable",
    data.allow_plaintext_backup !== false && "it can be backed up in plaintext",
    data.derived !== false && "it is derived",
    !CIPHERS.includes(String(data.type)) && `it is for "${String(data.type)}", accepted: ${CIPHERS.join(", ")}`,
  ].filter((each) => each !== false);
  if (unfit.length === 0) return;
  throw transitError(key, "CUSTODY_STORE_WRAP_KEY_UNFIT", `the wrapping key is not fit: ${unfit.join("; ")}`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
