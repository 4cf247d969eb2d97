import { type AwsKmsKey, loadAwsKmsSigner } from "./aws-kms.ts";
import { createPkcs11Signer, loadPkcs11Signer, type Pkcs11Key } from "./pkcs11.ts";
import type { Curve, KeySigner } from "./signer.ts";
import { type AgeKeyFile, createAgeSigner, createPem, loadAgeSigner, loadPemSigner } from "./software.ts";
import { createTpm2Signer, loadTpm2Signer, type Tpm2Key } from "./tpm2.ts";

/** Names one private key and how it is reached. */
export type KeyRef =
  | ({ readonly kind: "age" } & AgeKeyFile)
  | ({ readonly kind: "pkcs11" } & Pkcs11Key)
  | ({ readonly kind: "tpm2" } & Tpm2Key)
  | ({ readonly kind: "aws-kms" } & AwsKmsKey);

/**
 * Makes a new key. Keys of AWS KMS are made with its own tools: that one is loaded.
 * @throws every SIGNER_ code
 */
export async function createSigner(ref: KeyRef, curve: Curve): Promise<KeySigner> {
  if (ref.kind === "age") return createAgeSigner(ref, curve);
  if (ref.kind === "pkcs11") return createPkcs11Signer(ref, curve);
  return ref.kind === "tpm2" ? createTpm2Signer(ref, curve) : loadAwsKmsSigner(ref);
}

/**
 * Opens a key that is there.
 * @throws every SIGNER_ code but SIGNER_KEY_EXISTS
 */
export async function loadSigner(ref: KeyRef): Promise<KeySigner> {
  if (ref.kind === "age") return loadAgeSigner(ref);
  if (ref.kind === "pkcs11") return loadPkcs11Signer(ref);
  return ref.kind === "tpm2" ? loadTpm2Signer(ref) : loadAwsKmsSigner(ref);
}

/**
 * A key in memory, for the files of profile `dev`.
 * @returns the signer, and its PKCS #8 PEM, which is a secret
 */
export async function createMemorySigner(curve: Curve, where: string): Promise<{ signer: KeySigner; keyPem: string }> {
  const keyPem = await createPem(curve);
  return { signer: await loadPemSigner(keyPem, where), keyPem };
}
