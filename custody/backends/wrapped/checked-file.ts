import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";

const HEADER = /^trustkern-key\/1 name=([0-9a-z-]{1,64}) sha256=([0-9a-f]{64})\n/;
const LONGEST_HEADER = 256;

/**
 * Reads a file that {@link writeCheckedFile} wrote. Its first line has its name and a checksum: that tells a file that changed
 * from one that was renamed, and from one that belongs elsewhere. It proves nothing about who wrote it.
 * @throws CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_MISPLACED
 */
export function readCheckedFile(path: string, name: string): Buffer {
  const file = reading(path, () => readFileSync(path));
  const [header, own, sum] = HEADER.exec(file.subarray(0, LONGEST_HEADER).toString("latin1")) ?? [];
  if (header === undefined || own === undefined) throw corruptFile(path, "its first line is not that of a key file");
  const bytes = file.subarray(header.length);
  if (checksum(own, bytes) !== sum) throw corruptFile(path, "its checksum does not match its bytes");
  if (own === name) return bytes;
  throw custodyStoreErrors.error("CUSTODY_STORE_MISPLACED", `it is the file of "${own}"`, { path });
}

/**
 * Replaces a file atomically, mode 0600, down to the disk.
 * @param name lower-case letters, digits and hyphens, at most 64
 * @throws CUSTODY_STORE_UNWRITABLE
 */
export function writeCheckedFile(path: string, name: string, bytes: Uint8Array): void {
  const header = Buffer.from(`trustkern-key/1 name=${name} sha256=${checksum(name, bytes)}\n`, "ascii");
  writing(path, () => writeFileAtomic(path, Buffer.concat([header, bytes])));
}

/** The error for a file that is not what was written. */
export function corruptFile(path: string, reason: string): Error {
  return custodyStoreErrors.error("CUSTODY_STORE_CORRUPT", `the key file is corrupt: ${reason}`, { path });
}

/** @throws CUSTODY_STORE_UNREADABLE when `read` throws */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw custodyStoreErrors.error("CUSTODY_STORE_UNREADABLE", `cannot read: ${messageOf(cause)}`, { path, cause });
  }
}

/** @throws CUSTODY_STORE_UNWRITABLE when `write` throws */
export function writing(path: string, write: () => unknown): void {
  try {
    write();
  } catch (cause) {
    throw custodyStoreErrors.error("CUSTODY_STORE_UNWRITABLE", `cannot write: ${messageOf(cause)}`, { path, cause });
  }
}

function checksum(name: string, bytes: Uint8Array): string {
  return createHash("sha256").update(`${name}\n`).update(bytes).digest("hex");
}
