import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Authority, loadAuthority } from "../../certs/authority.ts";
import { readSealedFile, writeSealedFile } from "../../custody/backends/sealed-file.ts";
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

/**
 * The root that can sign, of `<name>.crt` and `<name>.key.age`.
 * @throws ROOT_KEY_ELSEWHERE when the key is not kept on this host, CUSTODY_PASSPHRASE_WRONG, CUSTODY_STATE_CORRUPT,
 *   CERT_AUTHORITY_INVALID
 */
export async function openRootKey({ dir, passphrase }: RootKeyPlace, name: string): Promise<Authority> {
  const path = rootKeyFile(dir, name);
  const key = await readSealedFile({ path, passphrase, workFactor: MACHINE_MADE_WORK_FACTOR });
  if (key === null) {
    throw hostErrors.error("ROOT_KEY_ELSEWHERE", `the root's key is not in "${path}"`, { path });
  }
  const certPem = readFileSync(join(dir, `${name}.crt`), "utf8");
  return loadAuthority({ certPem, keyPem: Buffer.from(key).toString("utf8") }, join(dir, name));
}

/** The file of a root's key. */
export function rootKeyFile(dir: string, name: string): string {
  return join(dir, `${name}.key.age`);
}
