import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { loadSigner } from "../../certs/signers/index.ts";
import { type DeviceKeyRef, type KeyPlace, keyAt } from "../../certs/signers/key-place.ts";
import { assertStrong, readPassphrase } from "../../custody/passphrase.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { transcriptId } from "./authorities-in-use.ts";
import { describeKeyPlace, isKeyElsewhere, type KeyElsewhere, readKeyPlace } from "./authority-key.ts";
import { hostErrors } from "./errors.ts";
import { assertOffline, type KeyCeremony } from "./key-ceremony.ts";

/** Where an authority's next key goes: a file of the authorities' folder, or elsewhere. */
export type NewKeyPlace = KeyElsewhere | "here";

/**
 * Where the next root's key belongs: on the device of `pki.root`, or in the age file that is named; in the authorities' folder
 * only where the root in force is there as well.
 * @param dir the authorities' folder
 * @throws ROOT_KEY_ELSEWHERE when no file is named, KEY_PLACE_TAKEN, ROOT_KEY_ONLINE,
 *   CUSTODY_PASSPHRASE_MISSING, and what a device throws
 */
export async function newRootPlace(dir: string, { pki, rootFile }: KeyCeremony): Promise<NewKeyPlace> {
  const held = placeInForce(dir, "root");
  if (pki.root.kind !== "age") {
    if (rootFile !== undefined) throw taken(`pki.root is ${pki.root.kind}, and --root-key names an age file`);
    return freePlace(pki.root, "root", held);
  }
  if (rootFile === undefined) {
    if (held === undefined) return "here";
    throw hostErrors.error("ROOT_KEY_ELSEWHERE", "the next root's key goes into an age file, and none is named", {
      path: "--root-key",
      fix: "name a file on another medium with --root-key FILE, and that of its passphrase with --passphrase-file FILE",
    });
  }
  assertOffline(dirname(dir), rootFile.file);
  const same = held?.kind === "age" && resolve(held.file) === resolve(rootFile.file);
  if (same) throw taken(`"${rootFile.file}" is where the key of the root in force belongs`);
  if (existsSync(rootFile.file)) throw taken(`"${rootFile.file}" is there already`);
  assertStrong(readPassphrase(rootFile.passphraseFile), rootFile.passphraseFile);
  return { kind: "age", ...rootFile };
}

/**
 * Where an issuing authority's next key belongs: where `pki.issuing` says.
 * @param name a class of leaves, or `makers/<maker>`
 * @throws CEREMONY_NEEDED when a key would move from a device into a file, KEY_PLACE_TAKEN, and what a device throws
 */
export async function newIssuingPlace(dir: string, name: string, { pki }: KeyCeremony): Promise<NewKeyPlace> {
  const held = placeInForce(dir, name);
  const { issuing } = pki;
  if (issuing.kind === "file") {
    if (held === undefined) return "here";
    const message = `the key of ${name} is on a device, and pki.issuing says file`;
    throw hostErrors.error("CEREMONY_NEEDED", message, {
      path: "pki.issuing",
      fix: "say in pki.issuing where the key is; no rotation takes a key off its device",
    });
  }
  const id = transcriptId(name);
  if (issuing.kind !== "aws-kms") return freePlace(issuing, id, held);
  const place = keyAt(issuing, id);
  const keyId = place.kind === "aws-kms" ? place.keyId : "";
  if (keyId === "") throw taken(`pki.issuing.keys names no key for ${id}`);
  if (held?.kind === "aws-kms" && held.keyId === keyId) {
    throw taken(`pki.issuing.keys.${id} is "${keyId}", which is the key in use`);
  }
  return place;
}

function placeInForce(dir: string, name: string): KeyElsewhere | undefined {
  return isKeyElsewhere(dir, name) ? readKeyPlace(dir, name) : undefined;
}

/** Keys of one authority on one device that are ever looked at: more than a lifetime of rotations. */
const MOST_GENERATIONS = 1_000;

/** The first place after the one in force that has no key: `plant-root`, `plant-root-2`, `plant-root-3`. */
async function freePlace(device: KeyPlace, id: string, held: KeyElsewhere | undefined): Promise<KeyElsewhere> {
  const placeOf = (generation: number): DeviceKeyRef => keyAt(device, generation === 1 ? id : `${id}-${generation}`);
  const generations = Array.from({ length: MOST_GENERATIONS }, (_, index) => index + 1);
  const before = generations.find(
    (each) => held !== undefined && describeKeyPlace(placeOf(each)) === describeKeyPlace(held),
  );
  for (const generation of generations.slice(before ?? 0)) {
    const place = placeOf(generation);
    if (await isFree(place)) return place;
  }
  throw taken(`the device has ${MOST_GENERATIONS} keys of ${id}`);
}

/** A key of whatever kind is in the way: it may be somebody's. */
const OCCUPIED = ["SIGNER_KEY_EXTRACTABLE", "SIGNER_CURVE_UNSUPPORTED", "SIGNER_KEY_CORRUPT"];

async function isFree(place: DeviceKeyRef): Promise<boolean> {
  try {
    await (await loadSigner(place)).close();
    return false;
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError)) throw thrown;
    if (thrown.code === "SIGNER_KEY_MISSING") return true;
    if (OCCUPIED.includes(thrown.code)) return false;
    throw thrown;
  }
}

function taken(message: string): TrustKernError {
  return hostErrors.error("KEY_PLACE_TAKEN", message, { path: "pki" });
}
