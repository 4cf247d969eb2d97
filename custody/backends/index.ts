import { type AwsKmsStoreRef, openAwsKmsStore } from "./aws-kms.ts";
import { type FileStoreRef, openFileStore } from "./file.ts";
import type { KeyStore } from "./key-store.ts";
import { openPkcs11Store, type Pkcs11StoreRef } from "./pkcs11.ts";
import { openTokenServer, type TokenServerRef } from "./token-client.ts";
import { openTpm2Store, type Tpm2StoreRef } from "./tpm2.ts";
import { openVaultStore, type VaultStoreRef } from "./vault.ts";

/** Names a place for decryption keys, and how it is reached. */
export type KeyStoreRef =
  | AwsKmsStoreRef
  | FileStoreRef
  | Pkcs11StoreRef
  | TokenServerRef
  | Tpm2StoreRef
  | VaultStoreRef;

/**
 * Opens a store; an empty place becomes one.
 * @throws every CUSTODY_STORE_ code, and what the back end throws
 */
export async function openKeyStore(ref: KeyStoreRef): Promise<KeyStore> {
  switch (ref.kind) {
    case "aws-kms":
      return openAwsKmsStore(ref);
    case "file":
      return openFileStore(ref);
    case "pkcs11":
      return "server" in ref ? openTokenServer(ref) : openPkcs11Store(ref);
    case "tpm2":
      return openTpm2Store(ref);
    case "vault":
      return openVaultStore(ref);
  }
}
