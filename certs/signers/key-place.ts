import type { KeyRef } from "./index.ts";

/** A device that has the keys of several authorities: what `pki.root` and `pki.issuing` of a deployment say. */
export type KeyPlace =
  | {
      readonly kind: "pkcs11";
      readonly module: string;
      readonly token: string;
      readonly pinFile: string;
      /** The labels are `<keyPrefix>-<authority>`. */
      readonly keyPrefix: string;
    }
  | {
      readonly kind: "tpm2";
      readonly device: string;
      /** The files are `<folder>/<authority>.tss2.pem`. */
      readonly folder: string;
    }
  | {
      readonly kind: "aws-kms";
      readonly region: string;
      /** Key id by authority. */
      readonly keys: Readonly<Record<string, string>>;
    };

/** Names a key that a device has. */
export type DeviceKeyRef = Exclude<KeyRef, { readonly kind: "age" }>;

/**
 * The key of one authority in a place.
 * @param authority `root`, a class of leaves, or `maker-<maker>`
 */
export function keyAt(place: KeyPlace, authority: string): DeviceKeyRef {
  if (place.kind === "pkcs11") {
    const { module, token, pinFile } = place;
    return { kind: "pkcs11", module, token, pinFile, label: `${place.keyPrefix}-${authority}` };
  }
  if (place.kind === "tpm2") {
    return { kind: "tpm2", device: place.device, file: `${place.folder}/${authority}.tss2.pem` };
  }
  return { kind: "aws-kms", region: place.region, keyId: place.keys[authority] ?? "" };
}
