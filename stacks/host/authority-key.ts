import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Authority, joinAuthority, loadAuthority } from "../../certs/authority.ts";
import { type LoadedKey, parsePrivateKeyPem } from "../../certs/keys.ts";
import { type KeyRef, loadSigner } from "../../certs/signers/index.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { chooseWorkFactor, readPassphrase } from "../../custody/passphrase.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { hostErrors } from "./errors.ts";

const text = z.string().min(1);

const placeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("age"), file: text, passphraseFile: text }),
  z.strictObject({ kind: z.literal("pkcs11"), module: text, token: text, pinFile: text, label: text }),
  z.strictObject({ kind: z.literal("tpm2"), device: text, file: text }),
  z.strictObject({ kind: z.literal("aws-kms"), region: text, keyId: text }),
]);

/** Where a private key is that is not in the authorities' folder. It names files of secrets, and has none. */
export type KeyElsewhere = z.output<typeof placeSchema>;

/** The file beside `<name>.crt` that says where its key is. */
export function keyPlaceFile(dir: string, name: string): string {
  return join(dir, `${name}.key.json`);
}

/** A place as its file has it. */
export function renderKeyPlace(place: KeyElsewhere): string {
  return `${stableJson(place, 2)}\n`;
}

/** Where a key is, for people and transcripts; as {@link KeySigner.where}, without having to reach it. */
export function describeKeyPlace(place: KeyElsewhere): string {
  if (place.kind === "age") return `age:${place.file}`;
  if (place.kind === "pkcs11") return `pkcs11:token=${place.token};object=${place.label}`;
  if (place.kind === "tpm2") return `tpm2:device=${place.device};file=${place.file}`;
  return `aws-kms:region=${place.region};key=${place.keyId}`;
}

/** Whether an authority's key is not in its folder. */
export function isKeyElsewhere(dir: string, name: string): boolean {
  return existsSync(keyPlaceFile(dir, name));
}

/**
 * The private key of an authority: on its token, its TPM or its medium where `<name>.key.json` says so, else that of
 * `<name>.key`.
 * @throws STATE_CORRUPT, CERT_AUTHORITY_INVALID, and every SIGNER_ code
 */
export async function authorityKey(dir: string, name: string): Promise<LoadedKey> {
  const path = join(dir, name);
  if (!isKeyElsewhere(dir, name)) return parsePrivateKeyPem(readFileSync(`${path}.key`, "utf8"), path);
  return elsewhereKey(dir, name);
}

/**
 * The key of an authority of which `<name>.key.json` says where it is.
 * @throws STATE_CORRUPT, and every SIGNER_ code
 */
export async function elsewhereKey(dir: string, name: string): Promise<KeySigner> {
  const place = readKeyPlace(dir, name);
  return place.kind === "age" ? loadSigner(keyRefOf(place)) : onDevice(place, join(dir, `${name}.crt`));
}

/** Devices' keys that this process has opened: a token counts its sessions, and a program that watches opens keys for ever. */
const opened = new Map<string, Promise<KeySigner>>();

/** A place may come to have another key than the one that was opened there: whose certificate it is for tells them apart. */
function onDevice(place: KeyElsewhere, certFile: string): Promise<KeySigner> {
  const { publicKey } = new X509Certificate(readFileSync(certFile));
  const id = renderKeyPlace(place) + publicKey.export({ format: "pem", type: "spki" });
  const held = opened.get(id);
  if (held !== undefined) return held;
  const signer = loadSigner(keyRefOf(place));
  opened.set(id, signer);
  signer.catch(() => opened.delete(id));
  return signer;
}

/**
 * An issuing authority that can sign.
 * @throws STATE_CORRUPT, CERT_AUTHORITY_INVALID when its files were changed, and every SIGNER_ code
 */
export async function openAuthority(dir: string, name: string): Promise<Authority> {
  const certPem = certificateOfKey(dir, name);
  if (isKeyElsewhere(dir, name)) return joinAuthority(certPem, await authorityKey(dir, name), join(dir, name));
  const keyPem = readFileSync(join(dir, `${name}.key`), "utf8");
  return loadAuthority({ certPem, keyPem }, join(dir, name));
}

/** A rotation moves the key first: where it died then, the certificate of the key in force is still the successor's. */
function certificateOfKey(dir: string, name: string): string {
  const [current, next] = [join(dir, name), join(dir, `${name}.next`)];
  const textIn = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const moved = [".key", ".key.json"].some((kind) => {
    const text = textIn(`${next}${kind}`);
    return text !== undefined && text === textIn(`${current}${kind}`);
  });
  return (moved ? textIn(`${next}.crt`) : undefined) ?? readFileSync(`${current}.crt`, "utf8");
}

/**
 * What opens, or makes, a key in its place; the passphrase of an age file is read.
 * @throws CUSTODY_PASSPHRASE_MISSING
 */
export function keyRefOf(place: KeyElsewhere): KeyRef {
  if (place.kind !== "age") return place;
  const passphrase = readPassphrase(place.passphraseFile);
  return { kind: "age", file: place.file, passphrase, workFactor: chooseWorkFactor(passphrase, undefined) };
}

/**
 * What `<name>.key.json` says.
 * @throws STATE_CORRUPT
 */
export function readKeyPlace(dir: string, name: string): KeyElsewhere {
  const path = keyPlaceFile(dir, name);
  try {
    return placeSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the file does not say where a key is", { path });
  }
}
