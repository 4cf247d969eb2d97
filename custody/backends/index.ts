import { type FileStoreRef, openFileStore } from "./file.ts";
import type { KeyStore } from "./key-store.ts";
import { openTpm2Store, type Tpm2StoreRef } from "./tpm2.ts";

/** Names a place for decryption keys, and how it is reached. */
export type KeyStoreRef = FileStoreRef | Tpm2StoreRef;

/**
 * Opens a store; an empty place becomes one.
 * @throws every CUSTODY_STORE_ code, and what the back end throws
 */
export async function openKeyStore(ref: KeyStoreRef): Promise<KeyStore> {
  switch (ref.kind) {
    case "file":
      return openFileStore(ref);
    case "tpm2":
      return openTpm2Store(ref);
  }
}
