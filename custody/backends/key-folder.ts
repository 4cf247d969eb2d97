import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeFileDurably, writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { custodyStoreErrors } from "./errors.ts";
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
const HEADER = /^trustkern-key\/1 name=([0-9a-z-]{1,64}) sha256=([0-9a-f]{64})\n/;
const LONGEST_HEADER = 256;

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
 * Opens the file of a key. Its checksum tells a file that changed from one that belongs elsewhere; authenticity is the wrap's.
 * @returns the key's bytes, a secret that the caller fills with zeros
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_MISPLACED, CUSTODY_STORE_FOREIGN, and what the
 * wrap throws
 */
export async function readKey({ folder, wrap }: KeyFolder, name: string): Promise<Buffer> {
  const path = keyFile(folder, name);
  const file = reading(path, () => readFileSync(path));
  const bytes = await wrap.unwrap(parseKeyFile(file, name, path), name);
  if (bytes !== null) return bytes;
  throw custodyStoreErrors.error("CUSTODY_STORE_FOREIGN", "it is whole, and does not open here", { path });
}

/**
 * Wraps a key and writes its file, down to the disk.
 * @throws CUSTODY_STORE_UNWRITABLE, and what the wrap throws
 */
export async function writeKey({ folder, wrap }: KeyFolder, name: string, bytes: Uint8Array): Promise<void> {
  const path = keyFile(folder, name);
  const wrapped = await wrap.wrap(bytes, name);
  const header = `trustkern-key/1 name=${name} sha256=${checksum(name, wrapped)}\n`;
  writing(path, () => writeFileAtomic(path, Buffer.concat([Buffer.from(header, "ascii"), wrapped])));
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
  return corrupt(keyFile(folder, name), reason);
}

function parseKeyFile(file: Buffer, name: string, path: string): Buffer {
  const [header, own, sum] = HEADER.exec(file.subarray(0, LONGEST_HEADER).toString("latin1")) ?? [];
  if (header === undefined || own === undefined) throw corrupt(path, "its first line is not a key file's");
  const wrapped = file.subarray(header.length);
  if (checksum(own, wrapped) !== sum) throw corrupt(path, "its checksum does not match its bytes");
  if (own === name) return wrapped;
  throw custodyStoreErrors.error("CUSTODY_STORE_MISPLACED", `it is the file of "${own}"`, { path });
}

function keyFile(folder: string, name: string): string {
  return join(folder, `${name}${SUFFIX}`);
}

function checksum(name: string, wrapped: Uint8Array): string {
  return createHash("sha256").update(`${name}\n`).update(wrapped).digest("hex");
}

function corrupt(path: string, reason: string): Error {
  return custodyStoreErrors.error("CUSTODY_STORE_CORRUPT", `the key file is corrupt: ${reason}`, { path });
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw custodyStoreErrors.error("CUSTODY_STORE_UNREADABLE", `cannot read: ${messageOf(cause)}`, { path, cause });
  }
}

function writing(path: string, write: () => unknown): void {
  try {
    write();
  } catch (cause) {
    throw custodyStoreErrors.error("CUSTODY_STORE_UNWRITABLE", `cannot write: ${messageOf(cause)}`, { path, cause });
  }
}
