import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { messageOf } from "../../../shared/errors.ts";
import { imagesErrors } from "../errors.ts";

const MAX_BYTES = 16_384;

/** The public key that images have to be signed by. */
export interface SigningKey {
  readonly key: KeyObject;
  /** SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1), as `sha256:` and 64 hex digits. */
  readonly fingerprint: string;
}

/**
 * Reads a public key: PEM (RFC 7468), P-256, one and nothing else. Ed25519 is not among
 * them: cosign signs with its pre-hashed form, which the Node runtime does not have.
 * @throws IMAGES_SIGNER_INVALID also for a private key, of which nothing is shown
 */
export function readSigningKey(file: string): SigningKey {
  return parseSigningKey(textOf(file), file);
}

/**
 * The key of a PEM text.
 * @param file its name, for the report
 * @throws IMAGES_SIGNER_INVALID
 */
export function parseSigningKey(text: string, file: string): SigningKey {
  if (text.includes("PRIVATE KEY"))
    throw invalid(file, "it holds a private key, which belongs to whoever signs and nowhere else");
  if (text.split("-----BEGIN ").length !== 2 || !text.includes("-----BEGIN PUBLIC KEY-----"))
    throw invalid(file, "it is not one public key in PEM");
  const key = keyOf(text, file);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve !== "prime256v1") throw invalid(file, `its key is ${curve ?? key.asymmetricKeyType}; accepted: P-256`);
  const spki = key.export({ type: "spki", format: "der" });
  return { key, fingerprint: `sha256:${createHash("sha256").update(spki).digest("hex")}` };
}

function keyOf(text: string, file: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch (cause) {
    throw invalid(file, `it is no public key: ${messageOf(cause)}`);
  }
}

function textOf(file: string): string {
  const buffer = Buffer.alloc(MAX_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    return buffer.toString("latin1", 0, readSync(descriptor, buffer));
  } catch (cause) {
    throw invalid(file, `it cannot be read: ${messageOf(cause)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
    // Somebody may have named the private key.
    buffer.fill(0);
  }
}

function invalid(file: string, why: string): Error {
  return imagesErrors.error("IMAGES_SIGNER_INVALID", `images.signedBy "${file}": ${why}`, { path: "images.signedBy" });
}
