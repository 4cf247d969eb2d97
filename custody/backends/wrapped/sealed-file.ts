import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Decrypter, Encrypter } from "age-encryption";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { custodyErrors } from "../../errors.ts";

const MAGIC = "trustkern-custody/1 sha256=";
const HEADER_BYTES = MAGIC.length + 64 + 1;

/**
 * Bytes in one file, encrypted with a passphrase: a line with the SHA-256 of the rest, then an age file
 * (`tail -n +2 FILE | age -d` opens it). The checksum tells a changed file from a wrong passphrase, and
 * is checked before any time goes into scrypt; authenticity is age's.
 */
export interface SealedFile {
  readonly path: string;
  readonly passphrase: string;
  /** Base-2 logarithm of scrypt's N. */
  readonly workFactor: number;
}

/**
 * The plaintext, or null when there is no such file.
 * @throws CUSTODY_STATE_UNREADABLE
 * @throws CUSTODY_STATE_CORRUPT
 * @throws CUSTODY_PASSPHRASE_WRONG
 */
export async function readSealedFile({ path, passphrase }: SealedFile): Promise<Uint8Array | null> {
  const file = readIfThere(path);
  if (!file) return null;
  const body = file.subarray(HEADER_BYTES);
  const header = file.subarray(0, HEADER_BYTES).toString("latin1");
  if (header !== `${MAGIC}${sha256(body)}\n`) throw corrupt(path, "its checksum does not match its bytes");
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(body);
  } catch (cause) {
    // The only failure that names no defect of the file itself: the file is intact, so its one recipient is another passphrase.
    if (messageOf(cause).startsWith("no identity matched"))
      throw custodyErrors.error("CUSTODY_PASSPHRASE_WRONG", "the passphrase does not open the custody state", { path });
    throw corrupt(path, `age refuses it: ${messageOf(cause)}`);
  }
}

/**
 * Encrypts and replaces the file atomically.
 * @throws CUSTODY_STATE_UNWRITABLE
 */
export async function writeSealedFile({ path, passphrase, workFactor }: SealedFile, bytes: Uint8Array): Promise<void> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  const body = await encrypter.encrypt(bytes);
  try {
    writeFileAtomic(path, Buffer.concat([Buffer.from(`${MAGIC}${sha256(body)}\n`, "ascii"), body]));
  } catch (cause) {
    throw custodyErrors.error("CUSTODY_STATE_UNWRITABLE", `cannot write: ${messageOf(cause)}`, { path, cause });
  }
}

/** The error for a state that is not what was written. */
export function corrupt(path: string, reason: string): Error {
  return custodyErrors.error("CUSTODY_STATE_CORRUPT", `the custody state is corrupt: ${reason}`, { path });
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw custodyErrors.error("CUSTODY_STATE_UNREADABLE", `cannot read: ${messageOf(cause)}`, { path, cause });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
