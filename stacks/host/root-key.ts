import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Authority, joinAuthority, loadAuthority } from "../../certs/authority.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { readSealedFile, writeSealedFile } from "../../custody/backends/wrapped/sealed-file.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { describeKeyPlace, elsewhereKey, isKeyElsewhere, keyPlaceFile, readKeyPlace } from "./authority-key.ts";
import { hostErrors } from "./errors.ts";

/** Where a root's key is, and what opens it. */
export interface RootKeyPlace {
  readonly dir: string;
  readonly passphrase: string;
}

/** Work factor for our own passphrases of 256 random bits: stretching adds nothing to them. */
const MACHINE_MADE_WORK_FACTOR = 12;

/** Encrypts a root's key into `<name>.key.age`, which no process of the deployment reads. */
export async function sealRootKey({ dir, passphrase }: RootKeyPlace, name: string, keyPem: string): Promise<void> {
  const sealed = { path: rootKeyFile(dir, name), passphrase, workFactor: MACHINE_MADE_WORK_FACTOR };
  await writeSealedFile(sealed, Buffer.from(keyPem));
}

/** What is thrown where a medium, a token or the file of its secret is not attached. */
const DETACHED = [
  ...["SIGNER_KEY_MISSING", "SIGNER_TOKEN_MISSING", "SIGNER_MODULE_MISSING", "SIGNER_SECRET_UNREADABLE"],
  "CUSTODY_PASSPHRASE_MISSING",
];

/**
 * The root that can sign, of `<name>.crt` and its key: in `<name>.key.age`, or where a ceremony left it.
 * @throws ROOT_KEY_ELSEWHERE when the key is not on this host now, CUSTODY_PASSPHRASE_WRONG, CUSTODY_STATE_CORRUPT,
 *   CERT_AUTHORITY_INVALID, and every other SIGNER_ code
 */
export async function openRootKey({ dir, passphrase }: RootKeyPlace, name: string): Promise<Authority> {
  if (isKeyElsewhere(dir, name)) return openElsewhere(dir, name);
  const path = rootKeyFile(dir, name);
  const key = await readSealedFile({ path, passphrase, workFactor: MACHINE_MADE_WORK_FACTOR });
  if (key === null) {
    throw hostErrors.error("ROOT_KEY_ELSEWHERE", `the root's key is not in "${path}"`, { path });
  }
  const certPem = readFileSync(join(dir, `${name}.crt`), "utf8");
  return loadAuthority({ certPem, keyPem: Buffer.from(key).toString("utf8") }, join(dir, name));
}

/** Whether something failed for want of the root's key alone. */
export function isRootElsewhere(thrown: unknown): boolean {
  return thrown instanceof TrustKernError && thrown.code === "ROOT_KEY_ELSEWHERE";
}

async function openElsewhere(dir: string, name: string): Promise<Authority> {
  const certPem = readFileSync(join(dir, `${name}.crt`), "utf8");
  return joinAuthority(certPem, await rootSigner(dir, name), join(dir, name));
}

/**
 * A root's key that is not in the authorities' folder, to sign with.
 * @throws ROOT_KEY_ELSEWHERE naming which root's and where it belongs, when it is not here now; every other SIGNER_ code
 */
export async function rootSigner(dir: string, name: string): Promise<KeySigner> {
  return attached(dir, name, () => elsewhereKey(dir, name));
}

/**
 * Does what needs a root's key, and says which root's is away where that is why it fails.
 * @throws ROOT_KEY_ELSEWHERE
 */
export async function attached<T>(dir: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof TrustKernError) || !DETACHED.includes(cause.code)) throw cause;
    const whose = name === "root.next" ? "the next root's key" : "the root's key";
    const where = isKeyElsewhere(dir, name) ? ` (${describeKeyPlace(readKeyPlace(dir, name))})` : "";
    throw hostErrors.error("ROOT_KEY_ELSEWHERE", `${whose}${where} is not here: ${cause.message}`, {
      path: keyPlaceFile(dir, name),
      cause,
    });
  }
}

/** The file of a root's key. */
export function rootKeyFile(dir: string, name: string): string {
  return join(dir, `${name}.key.age`);
}
