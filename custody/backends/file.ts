import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateHybridIdentity } from "age-encryption";
import { assertStrong, chooseWorkFactor, readPassphrase } from "../passphrase.ts";
import { custodyStoreErrors } from "./errors.ts";
import type { KeyStore } from "./key-store.ts";
import { ageKeyWrap } from "./wrapped/age-wrap.ts";
import { reading } from "./wrapped/checked-file.ts";
import { incompleteFolder, prepareKeyFolder } from "./wrapped/key-folder.ts";
import { readSealedFile, type SealedFile, writeSealedFile } from "./wrapped/sealed-file.ts";
import { openWrappedKeys } from "./wrapped/wrapped-keys.ts";

/** File of a folder's own identity; there is no store where it is not there. */
export const IDENTITY_FILE = "identity.age";

/** A folder of key files that a passphrase opens: it has an identity of its own, `identity.age`. */
interface PassphraseStoreRef {
  readonly kind: "file";
  readonly folder: string;
  /** One line. */
  readonly passphraseFile: string;
  /** Base-2 logarithm of scrypt's N (RFC 7914), 10 to 20. @default 18, or 12 for a passphrase of 256 random bits */
  readonly scryptWorkFactor?: number | undefined;
}

/** A folder of key files that an age identity opens, which lies elsewhere. */
interface IdentityStoreRef {
  readonly kind: "file";
  readonly folder: string;
  /** As `age-keygen` and `age-keygen -pq` write it. */
  readonly identityFile: string;
}

/** A folder of key files that a person opens: as with a file, and nothing on the disk has the passphrase. */
interface GivenPassphraseStoreRef {
  readonly kind: "file";
  readonly folder: string;
  /** UTF-8, one line; who opens the store overwrites it afterwards. */
  readonly passphrase: Uint8Array;
  /** As with a file. */
  readonly scryptWorkFactor?: number | undefined;
}

/** A folder of key files, and what opens them. */
export type FileStoreRef = PassphraseStoreRef | GivenPassphraseStoreRef | IdentityStoreRef;

/**
 * Opens keys that age encrypts, and makes an empty folder a store. A passphrase opens the folder's identity, so that
 * unsealing costs scrypt once, however many keys there are.
 * @throws CUSTODY_PASSPHRASE_MISSING, CUSTODY_PASSPHRASE_WEAK (a new store alone), CUSTODY_PASSPHRASE_WRONG,
 * CUSTODY_WORK_FACTOR_RANGE, CUSTODY_IDENTITY_INVALID, CUSTODY_STATE_CORRUPT (`identity.age`), CUSTODY_STATE_UNREADABLE,
 * CUSTODY_STATE_UNWRITABLE, and what {@link openWrappedKeys} throws
 */
export async function openFileStore(ref: FileStoreRef): Promise<KeyStore> {
  const { folder } = ref;
  const path = "identityFile" in ref ? ref.identityFile : join(folder, IDENTITY_FILE);
  const identity = "identityFile" in ref ? readIdentity(path) : await openIdentity(ref, path);
  const wrap = await ageKeyWrap(identity);
  if (!wrap) throw invalidIdentity(path, "age does not take it");
  const facts = {
    kind: "file",
    custodyClass: "software",
    keysInUse: "in-memory",
    where: `file:folder=${folder}`,
  } as const;
  return openWrappedKeys({ folder, wrap, facts });
}

async function openIdentity(ref: Exclude<FileStoreRef, IdentityStoreRef>, path: string): Promise<string> {
  // age takes text alone: this copy is the runtime's to forget.
  const passphrase =
    "passphrase" in ref ? Buffer.from(ref.passphrase).toString("utf8") : readPassphrase(ref.passphraseFile);
  const sealed = { path, passphrase, workFactor: chooseWorkFactor(passphrase, ref.scryptWorkFactor) };
  const names = prepareKeyFolder(ref.folder);
  const plaintext = await readSealedFile(sealed);
  if (plaintext) return textOf(plaintext);
  if (names.length > 0) throw incompleteFolder(ref.folder, names, IDENTITY_FILE);
  return makeIdentity(sealed, "passphrase" in ref ? "passphrase" : ref.passphraseFile);
}

async function makeIdentity(sealed: SealedFile, passphrasePath: string): Promise<string> {
  assertStrong(sealed.passphrase, passphrasePath);
  const identity = await generateHybridIdentity();
  const bytes = Buffer.from(identity, "ascii");
  await writeSealedFile(sealed, bytes);
  bytes.fill(0);
  return identity;
}

function readIdentity(path: string): string {
  const lines = textOf(reading(path, () => readFileSync(path)))
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [identity, ...more] = lines;
  if (identity !== undefined && more.length === 0) return identity;
  throw invalidIdentity(path, `it has ${lines.length} lines that are no comment, accepted: 1`);
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  bytes.fill(0);
  return text;
}

function invalidIdentity(path: string, reason: string): Error {
  return custodyStoreErrors.error("CUSTODY_IDENTITY_INVALID", `the file holds no age identity: ${reason}`, { path });
}
