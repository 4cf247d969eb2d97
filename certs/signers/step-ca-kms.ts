import { type DeviceKeyRef, type KeyPlace, keyAt } from "./key-place.ts";

/** Members `key` and `kms` of a step-ca configuration. */
export interface StepCaKey {
  /** A file's path, or the URI of a key in the KMS. */
  readonly key: string;
  /** Absent where the key is a file. */
  readonly kms?: { readonly type: "pkcs11" | "tpmkms" | "awskms"; readonly uri: string };
}

/**
 * How step-ca reaches the key of an authority (the URIs of go.step.sm/crypto/kms). No URI has a PIN: it names the PIN's file.
 * With PKCS #11 the program has to be `step-ca-pkcs11`; the others do not open C libraries.
 * @param authority a class of leaves
 * @param file of the key, where keys are files
 */
export function stepCaKey(issuing: KeyPlace | { readonly kind: "file" }, authority: string, file: string): StepCaKey {
  if (issuing.kind === "file") return { key: file };
  const ref = keyAt(issuing, authority);
  if (ref.kind === "pkcs11") {
    const token = `pkcs11:module-path=${ref.module};token=${ref.token}?pin-source=${ref.pinFile}`;
    return { key: stepCaKeyName(ref), kms: { type: "pkcs11", uri: token } };
  }
  if (ref.kind === "tpm2") {
    return { key: stepCaKeyName(ref), kms: { type: "tpmkms", uri: `tpmkms:device=${ref.device}` } };
  }
  return { key: stepCaKeyName(ref), kms: { type: "awskms", uri: `awskms:region=${ref.region}` } };
}

/** What step-ca calls one key of a device by: the URI that is the member `key` of its configuration. */
export function stepCaKeyName(ref: DeviceKeyRef): string {
  if (ref.kind === "pkcs11") return `pkcs11:object=${ref.label}`;
  return ref.kind === "tpm2" ? `tpmkms:path=${ref.file}` : `awskms:key-id=${ref.keyId}`;
}
