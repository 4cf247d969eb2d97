import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { hexOf } from "../protocol/hex.ts";
import { hpkeSeal, importX25519Private, keyIdOf, openWithSharedSecret, prepareInfo } from "../protocol/hpke.ts";
import { stableJson } from "../shared/stable-json.ts";
import { custodyErrors } from "./errors.ts";
import { HPKE_SUITE, KEY_ID } from "./generation.ts";

const SCHEMA = "trustkern.generation-package/1";
const INFO = prepareInfo(Buffer.from("trustkern/generation-package/v1", "ascii"));
const PRIVATE_KEY_BYTES = 32;
const TAG_BYTES = 16;
/** Longest package; one has about 700 bytes. */
const MAX_BYTES = 4096;
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

const metadataSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  tenant: z.string().min(1).max(63),
  keyId: z.string().regex(KEY_ID),
  publicKey: hex(32),
  suite: z.literal(HPKE_SUITE),
  createdAt: z.iso.datetime(),
  importKeyId: hex(8),
});
const packageSchema = metadataSchema.extend({ enc: hex(32), ciphertext: hex(PRIVATE_KEY_BYTES + TAG_BYTES) });

type PackageMetadata = z.output<typeof metadataSchema>;

/** What a package is made of. */
export interface PackageContents {
  /** Custody's import key: raw X25519 public key (32 bytes), lower-case hex. */
  readonly importKey: string;
  /** Raw X25519 private key, 32 bytes. The caller wipes it. */
  readonly privateKey: Uint8Array;
  /** `createdAt`, RFC 3339 in UTC, is when the generation was made. */
  readonly metadata: Pick<PackageMetadata, "tenant" | "createdAt">;
}

/** What a package is opened with. */
export interface PackageRecipient {
  readonly tenant: string;
  /** Key id of the import key, lower-case hex. */
  readonly importKeyId: string;
  /** KEM shared secret of an encapsulated key by the import key; null where there is none. */
  readonly decapsulate: (encapsulated: Uint8Array) => Promise<Uint8Array | null>;
}

/** A generation that was made elsewhere. */
export interface PackagedGeneration extends Pick<PackageMetadata, "keyId" | "publicKey" | "createdAt"> {
  /** Raw X25519 private key, 32 bytes. Whoever asked wipes it. */
  readonly privateKey: Uint8Array;
}

/**
 * The text of a package: a private key, sealed to custody's import key (RFC 9180, base mode, single shot; its additional data
 * is every other member). There is one way to write it, so that no changed byte goes unseen.
 * @throws PROTOCOL_BAD_KEY
 */
export function sealGenerationPackage({ importKey, privateKey, metadata }: PackageContents): string {
  const recipient = Buffer.from(importKey, "hex");
  const publicKey = publicKeyOf(privateKey);
  const open: PackageMetadata = {
    schema: SCHEMA,
    tenant: metadata.tenant,
    keyId: hexKeyId(publicKey),
    publicKey: publicKey.toString("hex"),
    suite: HPKE_SUITE,
    createdAt: metadata.createdAt,
    importKeyId: hexKeyId(recipient),
  };
  const { enc, ciphertext } = hpkeSeal(recipient, INFO, aadOf(open), privateKey);
  return render({ ...open, enc: hexOf(enc), ciphertext: hexOf(ciphertext) });
}

/**
 * The generation in a package, once its private key is found to be the one that it names.
 * @throws CUSTODY_PACKAGE_MALFORMED, CUSTODY_PACKAGE_FOREIGN, CUSTODY_PACKAGE_CORRUPT, and what `decapsulate` throws
 */
export async function openGenerationPackage(
  bytes: Uint8Array,
  { tenant, importKeyId, decapsulate }: PackageRecipient,
): Promise<PackagedGeneration> {
  const { enc, ciphertext, ...metadata } = parse(bytes);
  if (metadata.tenant !== tenant) throw foreign(`it is for tenant "${metadata.tenant}", and this is "${tenant}"`);
  if (metadata.importKeyId !== importKeyId)
    throw foreign(`it is sealed to import key "${metadata.importKeyId}", and custody has "${importKeyId}"`);
  const secret = await decapsulate(Buffer.from(enc, "hex"));
  const privateKey = secret && openWithSharedSecret(secret, INFO, aadOf(metadata), Buffer.from(ciphertext, "hex"));
  secret?.fill(0);
  if (!privateKey) throw corrupt("it does not open: bytes were changed since it was sealed");
  const { keyId, publicKey, createdAt } = metadata;
  const raw = privateKey.length === PRIVATE_KEY_BYTES ? publicKeyOf(privateKey) : Buffer.alloc(0);
  if (hexOf(raw) === publicKey && hexKeyId(raw) === keyId) return { keyId, publicKey, createdAt, privateKey };
  privateKey.fill(0);
  throw corrupt(`its private key is not that of generation "${keyId}"`);
}

/**
 * What a package says of itself in the open, which nobody has held against its private key.
 * @param source name of its file, for the error
 * @throws CUSTODY_PACKAGE_MALFORMED
 */
export function readPackage(bytes: Uint8Array, source: string): PackageMetadata {
  const { enc, ciphertext, ...metadata } = parse(bytes, source);
  return metadata;
}

/** Raw X25519 public key of a raw private key. */
export function publicKeyOf(privateKey: Uint8Array): Buffer {
  return createPublicKey(importX25519Private(privateKey)).export({ format: "raw-public" });
}

function parse(bytes: Uint8Array, source?: string): z.output<typeof packageSchema> {
  if (bytes.length > MAX_BYTES) throw malformed(`it has ${bytes.length} bytes, accepted: ${MAX_BYTES} at most`, source);
  const text = Buffer.from(bytes).toString("utf8");
  const value = parseJson(text);
  if (value === undefined) throw malformed("it is no JSON", source);
  const parsed = packageSchema.safeParse(value);
  if (!parsed.success) throw malformed(`wrong: ${wrongIn(parsed.error)}`, source);
  if (render(parsed.data) === text) return parsed.data;
  throw malformed("it was written again by another program", source);
}

function wrongIn({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => path.join(".") || message).join(", ");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function render(value: object): string {
  return `${stableJson(value, 2)}\n`;
}

function aadOf(metadata: PackageMetadata): Buffer {
  return Buffer.from(stableJson(metadata), "utf8");
}

function hexKeyId(publicKey: Uint8Array): string {
  return hexOf(keyIdOf(publicKey));
}

function malformed(reason: string, source?: string): Error {
  const what = source === undefined ? "this" : `"${source}"`;
  return custodyErrors.error("CUSTODY_PACKAGE_MALFORMED", `${what} is no generation package: ${reason}`, {
    path: source,
  });
}

function foreign(reason: string): Error {
  return custodyErrors.error("CUSTODY_PACKAGE_FOREIGN", `the package is not for this custody: ${reason}`);
}

function corrupt(reason: string): Error {
  return custodyErrors.error("CUSTODY_PACKAGE_CORRUPT", `the package is refused: ${reason}`);
}
