import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { signersErrors } from "../../../certs/signers/errors.ts";
import { createMemorySigner, createSigner, type KeyRef, loadSigner } from "../../../certs/signers/index.ts";
import { keyAt } from "../../../certs/signers/key-place.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { loadPemSigner } from "../../../certs/signers/software.ts";
import { assertStrong, chooseWorkFactor, readPassphrase } from "../../../custody/passphrase.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { hostErrors } from "../errors.ts";
import { writePrivate } from "../files.ts";
import { assertOffline, type RootFile } from "../key-ceremony.ts";
import { fingerprintOf } from "./fingerprint.ts";

export { fingerprintOf };

/** Where such a key is: on this host, in an age file elsewhere, or beside the root's on its device. */
export type SigningKeyPlace = "here" | "root-device" | RootFile;

/** One key of a deployment that signs one kind of thing: made at first use, and pinned from then on. */
export interface SigningKey {
  /** Its name on the device of `pki.root`. */
  readonly name: string;
  /** The option that says where it is. */
  readonly option: string;
  /** Private key, PEM, where it is on this host. */
  readonly keyFile: string;
  /** Its public key, PEM, once it has signed. */
  readonly pinFile: string;
  /** The error for another key than the one that is pinned. */
  readonly differs: (message: string) => TrustKernError;
}

/**
 * Opens the key, or makes it where none is pinned yet.
 * @throws what `differs` makes when another one is pinned, ROOT_KEY_ONLINE, ROOT_KEY_ELSEWHERE, STATE_CORRUPT,
 *   CUSTODY_PASSPHRASE_MISSING, CUSTODY_PASSPHRASE_WEAK, and every SIGNER_ code
 */
export async function openSigningKey(
  key: SigningKey,
  place: SigningKeyPlace,
  { stateDir, pki }: { readonly stateDir: string; readonly pki: Deployment["pki"] },
): Promise<KeySigner> {
  const pinned = pinnedKey(key);
  const make = pinned === undefined;
  const signer =
    place === "here" ? await keyOfHost(key, make) : await keyElsewhere(key, refOf(key, place, { stateDir, pki }), make);
  const fingerprint = fingerprintOf(signer.publicKeySpki);
  const isP256 = signer.curve === "P-256";
  if (isP256 && (pinned === undefined || fingerprintOf(pinned) === fingerprint)) return signer;
  await signer.close();
  if (pinned === undefined || !isP256) {
    const message = `the key in ${signer.where} is on ${signer.curve}; accepted: P-256`;
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message, { path: key.option });
  }
  throw key.differs(`the key in ${signer.where} is ${fingerprint}, and ${fingerprintOf(pinned)} is pinned`);
}

/** Pins the key, once the first thing that it signed is to be written. */
export function pinKey({ pinFile }: SigningKey, { publicKeySpki }: KeySigner): void {
  if (!existsSync(pinFile)) writePrivate(pinFile, spkiKey(publicKeySpki).export({ format: "pem", type: "spki" }));
}

/**
 * The key that is pinned, or undefined where nothing was ever signed.
 * @throws STATE_CORRUPT
 */
export function pinnedKey({ pinFile: path }: SigningKey): KeyObject | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const key = createPublicKey(readFileSync(path));
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch (cause) {
    throw hostErrors.error("STATE_CORRUPT", `the pinned key cannot be read: ${messageOf(cause)}`, { path });
  }
  throw hostErrors.error("STATE_CORRUPT", "the pinned key is not on P-256", { path });
}

async function keyOfHost({ keyFile, differs }: SigningKey, make: boolean): Promise<KeySigner> {
  if (existsSync(keyFile)) return loadPemSigner(readFileSync(keyFile, "utf8"), keyFile);
  if (!make) throw differs(`the key that is pinned is not on this host ("${keyFile}")`);
  const { signer, keyPem } = await createMemorySigner("P-256", keyFile);
  writePrivate(keyFile, keyPem);
  return signer;
}

async function keyElsewhere({ option }: SigningKey, ref: KeyRef, make: boolean): Promise<KeySigner> {
  try {
    return await loadSigner(ref);
  } catch (thrown) {
    const missing = thrown instanceof TrustKernError && thrown.code === "SIGNER_KEY_MISSING";
    if (!missing) throw thrown;
    const fix = `name with ${option} where the key is that signed before: one is pinned, and no other is made`;
    if (!make) throw signersErrors.error("SIGNER_KEY_MISSING", thrown.message, { path: thrown.path, fix });
  }
  if (ref.kind === "age") assertStrong(ref.passphrase, "--passphrase-file");
  return createSigner(ref, "P-256");
}

function refOf(
  { name, option }: SigningKey,
  place: Exclude<SigningKeyPlace, "here">,
  { stateDir, pki: { root } }: { readonly stateDir: string; readonly pki: Deployment["pki"] },
): KeyRef {
  if (place !== "root-device") {
    assertOffline(stateDir, place.file);
    const passphrase = readPassphrase(place.passphraseFile);
    return { kind: "age", file: place.file, passphrase, workFactor: chooseWorkFactor(passphrase, undefined) };
  }
  if (root.kind !== "age") return keyAt(root, name);
  throw hostErrors.error(
    "ROOT_KEY_ELSEWHERE",
    `pki.root is an age file, and no device that could have the ${name} key`,
    {
      path: option,
      fix: `name a file on another medium with ${option} FILE, and that of its passphrase with --passphrase-file FILE`,
    },
  );
}

function spkiKey(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: "der", type: "spki" });
}
