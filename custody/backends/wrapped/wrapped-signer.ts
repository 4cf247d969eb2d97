import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { loadPemSigner } from "../../../certs/signers/software.ts";
import { corruptKey, incompleteFolder, type KeyFolder, readKey, SIGNER_NAME, writeKey } from "./key-folder.ts";

/**
 * The signer (P-256, PKCS #8, RFC 5958) of a folder of wrapped keys. An empty folder gets one; a folder that has keys and
 * no signer lost it, and the audit log could not tell its own sessions from others'.
 * @param names of the keys that are there
 * @throws CUSTODY_STORE_INCOMPLETE, and what {@link readKey} and {@link writeKey} throw
 */
export async function openWrappedSigner(at: KeyFolder, names: readonly string[], where: string): Promise<KeySigner> {
  if (!names.includes(SIGNER_NAME)) {
    if (names.length > 0) throw incompleteFolder(at.folder, names, `${SIGNER_NAME}.key`);
    await makeSigner(at);
  }
  const pkcs8 = await readKey(at, SIGNER_NAME);
  try {
    return await loadPemSigner(pemOf(at.folder, pkcs8), `${where};key=${SIGNER_NAME}`);
  } finally {
    pkcs8.fill(0);
  }
}

async function makeSigner(at: KeyFolder): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  try {
    await writeKey(at, SIGNER_NAME, pkcs8);
  } finally {
    pkcs8.fill(0);
  }
}

function pemOf(folder: string, pkcs8: Buffer): string {
  try {
    return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })
      .export({ format: "pem", type: "pkcs8" })
      .toString();
  } catch {
    throw corruptKey(folder, SIGNER_NAME, "it holds no PKCS #8 key");
  }
}
