import { signersErrors } from "../../../certs/signers/errors.ts";
import { createSigner, type KeyRef, loadSigner } from "../../../certs/signers/index.ts";
import { parseKeyUri } from "../../../certs/signers/key-uri.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { assertStrong, chooseWorkFactor, readPassphrase } from "../../../custody/passphrase.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { assertOffline } from "../../../stacks/host/key-ceremony.ts";

/** Where a key is that signs bundles or roots: a URI of a token or TPM, or an age file and that of its passphrase. */
export interface BundleKeyPlace {
  readonly place: string;
  /** Of an age file alone. */
  readonly passphraseFile: string | undefined;
}

/** Whether a place is an age file, which has a passphrase. */
export function isAgeFile(place: string): boolean {
  return !/^(pkcs11|tpm2):/.test(place);
}

/**
 * Opens a key.
 * @param stateDir no key that signs bundles may lie in it
 * @throws ROOT_KEY_ONLINE, SIGNER_CURVE_UNSUPPORTED, CUSTODY_PASSPHRASE_MISSING, and every SIGNER_ code
 */
export async function openBundleKey(place: BundleKeyPlace, stateDir: string): Promise<KeySigner> {
  const ref = refOf(place, stateDir);
  const signer = await missing(() => loadSigner(ref));
  if (signer.curve === "P-256") return signer;
  await signer.close();
  const message = `the key in ${signer.where} is on ${signer.curve}; accepted: P-256`;
  throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message, { path: "--key" });
}

/**
 * Makes a key; one that is there is never replaced.
 * @throws ROOT_KEY_ONLINE, SIGNER_KEY_EXISTS, CUSTODY_PASSPHRASE_MISSING, CUSTODY_PASSPHRASE_WEAK, and every SIGNER_ code
 */
export async function makeBundleKey(place: BundleKeyPlace, stateDir: string): Promise<KeySigner> {
  const ref = refOf(place, stateDir);
  if (ref.kind === "age") assertStrong(ref.passphrase, "--passphrase-file");
  return createSigner(ref, "P-256");
}

function refOf({ place, passphraseFile }: BundleKeyPlace, stateDir: string): KeyRef {
  const device = parseKeyUri(place);
  if (device !== undefined) return device;
  assertOffline(stateDir, place, "--key");
  const passphrase = readPassphrase(passphraseFile ?? "");
  return { kind: "age", file: place, passphrase, workFactor: chooseWorkFactor(passphrase, undefined) };
}

async function missing(load: () => Promise<KeySigner>): Promise<KeySigner> {
  try {
    return await load();
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "SIGNER_KEY_MISSING") throw thrown;
    const fix = "name with --key where the key is, or make one with `trustkern bundle trust key PLACE`";
    throw signersErrors.error("SIGNER_KEY_MISSING", thrown.message, { path: thrown.path, fix, cause: thrown });
  }
}
