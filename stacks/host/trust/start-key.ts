import { createHash, createPublicKey, type KeyObject } from "node:crypto";
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
import type { Layout } from "../layout.ts";
import { trustErrors } from "./errors.ts";
import { trustFiles } from "./place.ts";

/** Where the key is that signs start manifests: on this host, in an age file elsewhere, or beside the root's on its device. */
export type StartKeyPlace = "here" | "root-device" | RootFile;

/**
 * The key that signs start manifests; makes it at the first deploy.
 * @throws START_SIGNER_DIFFERS when another one is pinned, ROOT_KEY_ONLINE, ROOT_KEY_ELSEWHERE, STATE_CORRUPT,
 *   CUSTODY_PASSPHRASE_MISSING, CUSTODY_PASSPHRASE_WEAK, and every SIGNER_ code
 */
export async function openStartKey(
  layout: Layout,
  place: StartKeyPlace,
  { pki }: Pick<Deployment, "pki">,
): Promise<KeySigner> {
  const pinned = pinnedStartKey(layout);
  const make = pinned === undefined;
  const signer = place === "here" ? await keyOfHost(layout, make) : await keyElsewhere(refOf(layout, place, pki), make);
  const fingerprint = fingerprintOf(signer.publicKeySpki);
  const isP256 = signer.curve === "P-256";
  if (isP256 && (pinned === undefined || fingerprintOf(pinned) === fingerprint)) return signer;
  await signer.close();
  if (pinned === undefined || !isP256) {
    const message = `the key in ${signer.where} is on ${signer.curve}; accepted: P-256`;
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message, { path: "--start-key" });
  }
  throw differs(layout, `the key in ${signer.where} is ${fingerprint}, and ${fingerprintOf(pinned)} is pinned`);
}

/** Pins the key of the first manifest, once that is to be written. */
export function pinStartKey(layout: Layout, { publicKeySpki }: KeySigner): void {
  const { signer } = trustFiles(layout);
  if (!existsSync(signer)) writePrivate(signer, spkiKey(publicKeySpki).export({ format: "pem", type: "spki" }));
}

/**
 * The key that is pinned, or undefined where no manifest was ever signed.
 * @throws STATE_CORRUPT
 */
export function pinnedStartKey(layout: Layout): KeyObject | undefined {
  const path = trustFiles(layout).signer;
  if (!existsSync(path)) return undefined;
  try {
    const key = createPublicKey(readFileSync(path));
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch (cause) {
    throw hostErrors.error("STATE_CORRUPT", `the pinned key cannot be read: ${messageOf(cause)}`, { path });
  }
  throw hostErrors.error("STATE_CORRUPT", "the pinned key is not on P-256", { path });
}

/** SHA-256 of a public key's SPKI (RFC 7469, section 2.4, in lower-case hex). */
export function fingerprintOf(key: KeyObject | Buffer): string {
  const spki = Buffer.isBuffer(key) ? key : key.export({ format: "der", type: "spki" });
  return createHash("sha256").update(spki).digest("hex");
}

async function keyOfHost(layout: Layout, make: boolean): Promise<KeySigner> {
  const { key } = trustFiles(layout);
  if (existsSync(key)) return loadPemSigner(readFileSync(key, "utf8"), key);
  if (!make) throw differs(layout, `the key that is pinned is not on this host ("${key}")`);
  const { signer, keyPem } = await createMemorySigner("P-256", key);
  writePrivate(key, keyPem);
  return signer;
}

async function keyElsewhere(ref: KeyRef, make: boolean): Promise<KeySigner> {
  try {
    return await loadSigner(ref);
  } catch (thrown) {
    const missing = thrown instanceof TrustKernError && thrown.code === "SIGNER_KEY_MISSING";
    if (!missing || !make) throw thrown;
  }
  if (ref.kind === "age") assertStrong(ref.passphrase, "--passphrase-file");
  return createSigner(ref, "P-256");
}

function refOf(layout: Layout, place: Exclude<StartKeyPlace, "here">, { root }: Deployment["pki"]): KeyRef {
  if (place !== "root-device") {
    assertOffline(layout.dir, place.file);
    const passphrase = readPassphrase(place.passphraseFile);
    return { kind: "age", file: place.file, passphrase, workFactor: chooseWorkFactor(passphrase, undefined) };
  }
  if (root.kind !== "age") return keyAt(root, "start");
  throw hostErrors.error("ROOT_KEY_ELSEWHERE", "pki.root is an age file, and no device that could have the start key", {
    path: "--start-key",
    fix: "name a file on another medium with --start-key FILE, and that of its passphrase with --passphrase-file FILE",
  });
}

function spkiKey(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: "der", type: "spki" });
}

function differs(layout: Layout, message: string): TrustKernError {
  return trustErrors.error("START_SIGNER_DIFFERS", message, { path: trustFiles(layout).signer });
}
