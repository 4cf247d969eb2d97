import { type FileStoreRef, openFileStore } from "./file.ts";
import type { KeyStore } from "./key-store.ts";

/** Names a place for decryption keys, and how it is reached. */
export type KeyStoreRef = FileStoreRef;

/**
 * Opens a store; an empty place becomes one.
 * @throws every CUSTODY_STORE_ code, and what the back end throws
 */
export async function openKeyStore(ref: KeyStoreRef): Promise<KeyStore> {
  return openFileStore(ref);
}
