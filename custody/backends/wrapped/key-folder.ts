import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeFileDurably } from "../../../shared/atomic-file.ts";
import { custodyStoreErrors } from "../errors.ts";
import { corruptFile, readCheckedFile, reading, writeCheckedFile, writing } from "./checked-file.ts";
import type { KeyWrap } from "./key-wrap.ts";

/** Wrapped keys in a folder: `<name>.key` each, mode 0600. */
export interface KeyFolder {
  readonly folder: string;
  readonly wrap: KeyWrap;
}

/** Name of the key that vouches for sessions of the audit log, beside the key ids. */
export const SIGNER_NAME = "audit-signer";

const NAME = /^(?:[0-9a-f]{16}|audit-signer)$/;
const SUFFIX = ".key";

/**
 * Makes the folder when it is not there (mode 0700), and takes away what a killed process had not finished.
 * @returns the names of its keys, in order
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_UNWRITABLE, CUSTODY_STORE_MISPLACED
 */
export function prepareKeyFolder(folder: string): readonly string[] {
  writing(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const files = reading(folder, () => readdirSync(folder));
  for (const file of files.filter((each) => each.endsWith(`${SUFFIX}.tmp`)))
    writing(join(folder, file), () => rmSync(join(folder, file)));
  const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
  const strange = names.find((name) => !NAME.test(name));
  if (strange === undefined) return names.sort();
  throw custodyStoreErrors.error("CUSTODY_STORE_MISPLACED", `no key has the name "${strange}"`, {
    path: keyFile(folder, strange),
  });
}

/**
 * Opens the file of a key.
 * @returns the key's bytes, a secret that the caller fills with zeros
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_MISPLACED, CUSTODY_STORE_FOREIGN, and what the
 * wrap throws
 */
export async function readKey(at: KeyFolder, name: string): Promise<Buffer> {
  return openKey(at, name, readWrappedKey(at, name));
}

/**
 * Opens a wrapped key.
 * @returns the key's bytes, a secret that the caller fills with zeros
 * @throws CUSTODY_STORE_FOREIGN, and what the wrap throws
 */
export async function openKey({ folder, wrap }: KeyFolder, name: string, wrapped: Uint8Array): Promise<Buffer> {
  const bytes = await wrap.unwrap(wrapped, name);
  if (bytes !== null) return bytes;
  const path = keyFile(folder, name);
  throw custodyStoreErrors.error("CUSTODY_STORE_FOREIGN", "it is whole, and does not open here", { path });
}

/**
 * The wrapped key in a file.
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_MISPLACED
 */
export function readWrappedKey({ folder }: Pick<KeyFolder, "folder">, name: string): Buffer {
  return readCheckedFile(keyFile(folder, name), name);
}

/**
 * Writes a key that is wrapped already.
 * @throws CUSTODY_STORE_UNWRITABLE
 */
export function placeKey(folder: string, name: string, wrapped: Uint8Array): void {
  writeCheckedFile(keyFile(folder, name), name, wrapped);
}

/**
 * Wraps a key and writes its file, down to the disk.
 * @throws CUSTODY_STORE_UNWRITABLE, and what the wrap throws
 */
export async function writeKey({ folder, wrap }: KeyFolder, name: string, bytes: Uint8Array): Promise<void> {
  placeKey(folder, name, await wrap.wrap(bytes, name));
}

/**
 * Removes the file of a key, if it is there.
 * @throws CUSTODY_STORE_UNWRITABLE
 */
export function removeKey(folder: string, name: string): void {
  const path = keyFile(folder, name);
  writing(path, () => removeFileDurably(path));
}

/** The error for a key that is not what was written. */
export function corruptKey(folder: string, name: string, reason: string): Error {
  return corruptFile(keyFile(folder, name), reason);
}

/** The error for a folder whose keys need a file that is lost. */
export function incompleteFolder(folder: string, names: readonly string[], lost: string): Error {
  const message = `it has ${names.length} keys, and no "${lost}"`;
  return custodyStoreErrors.error("CUSTODY_STORE_INCOMPLETE", message, { path: folder });
}

function keyFile(folder: string, name: string): string {
  return join(folder, `${name}${SUFFIX}`);
}
