import { generateKeyPairSync, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { hpkeSeal, openWithSharedSecret, prepareInfo } from "../../../protocol/hpke.ts";
import type { KeyStore } from "../key-store.ts";

const INFO = prepareInfo(Buffer.from("key store contract"));
const AAD = Buffer.from("aad");
/** What is sealed. */
export const PLAINTEXT = Buffer.from("what the sensor measured");

/** Bytes of lower-case hex. */
export const hex = (text: string): Buffer => Buffer.from(text, "hex");
const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url), "utf8"));

interface Rfc9180Vector {
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
}

interface XdhCase {
  readonly public: string;
  readonly flags: readonly string[];
}

/** RFC 9180, appendix A.1.1: the suite of envelopes. */
export const VECTORS: readonly Rfc9180Vector[] = fixture("rfc9180-mode0-x25519-sha256-aes128gcm.json");

/**
 * Every encoding of a point of small order, with the bit that X25519 masks set and unset: what gives an all-zero output
 * (RFC 7748, section 6.1), from Wycheproof.
 */
export function lowOrderPoints(): readonly Buffer[] {
  const file: { testGroups: { tests: XdhCase[] }[] } = fixture("wycheproof/x25519_test.json");
  const zero = file.testGroups.flatMap(({ tests }) => tests).filter(({ flags }) => flags.includes("ZeroSharedSecret"));
  return [...new Set(zero.map((test) => test.public))].map(hex);
}

/** Stores that are closed after each test. */
export interface Stores {
  readonly made: () => Promise<KeyStore>;
  /** The same place, after a restart. */
  readonly again: (store: KeyStore) => Promise<KeyStore>;
  readonly imported: () => Promise<{ store: KeyStore; raw: Buffer; keyId: string }>;
}

/** A new X25519 private key, raw. */
export function rawKey(): Buffer {
  return generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
}

/** The public key of a key that nobody has, lower-case hex. */
export function rawPublic(): string {
  return generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" }).toString("hex");
}

/** The id of a public key, by another implementation than the stores have. */
export async function keyIdOf(publicKey: string): Promise<string> {
  const digest = await webcrypto.subtle.digest("SHA-256", Uint8Array.from(hex(publicKey)));
  return Buffer.from(digest).subarray(0, 8).toString("hex");
}

/** Seals {@link PLAINTEXT} to a public key. */
export function seal(publicKey: string): { readonly enc: Uint8Array; readonly ciphertext: Uint8Array } {
  return hpkeSeal(hex(publicKey), INFO, AAD, PLAINTEXT);
}

/** What a store opens, or null. */
export async function opened(
  store: KeyStore,
  keyId: string,
  enc: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Buffer | null> {
  const [secret = null] = await store.decapsulate(keyId, [enc]);
  return openedWith(secret, ciphertext);
}

/** What a shared secret opens, or null. */
export function openedWith(secret: Uint8Array | null, ciphertext: Uint8Array): Buffer | null {
  const plaintext = secret && openWithSharedSecret(secret, INFO, AAD, ciphertext);
  return plaintext && Buffer.from(plaintext);
}

/** The same, as expectations compare them. */
export function buffers(secrets: readonly (Uint8Array | null)[]): readonly (Buffer | null)[] {
  return secrets.map((secret) => secret && Buffer.from(secret));
}
