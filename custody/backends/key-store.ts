import type { KeySigner } from "../../certs/signers/signer.ts";

/** The back ends, one file each. */
export const KEY_STORE_KINDS = ["file", "pkcs11", "tpm2", "vault", "aws-kms"] as const;

/** One of {@link KEY_STORE_KINDS}. */
export type KeyStoreKind = (typeof KEY_STORE_KINDS)[number];

/** What protects the keys at rest. SoftHSM and swtpm are `software`; a cloud's virtual TPM is `virtual`. */
export const CUSTODY_CLASSES = ["hardware", "virtual", "software"] as const;

/** One of {@link CUSTODY_CLASSES}. */
export type CustodyClass = (typeof CUSTODY_CLASSES)[number];

/** What a store is, for records, evidence and `status`. Holds no secret. */
export interface KeyStoreFacts {
  readonly kind: KeyStoreKind;
  readonly custodyClass: CustodyClass;
  /** Whether private keys are used where they are, or are in this process's memory while the store is open. */
  readonly keysInUse: "on-device" | "in-memory";
  /** Where it is, in the words of a person: `pkcs11:token=acme`, `tpm2:device=/dev/tpmrm0;pcrs=sha256:7`. */
  readonly where: string;
}

/** The public half of a key that a store holds. */
export interface StoredKey {
  /** First 8 bytes of SHA-256 of the raw public key, lower-case hex. */
  readonly keyId: string;
  /** Raw X25519 public key (32 bytes), lower-case hex. */
  readonly publicKey: string;
}

/**
 * Keys that are handed from one custody to another as they lie on the disk: wrapped by a key that stays in a service, to which each
 * custody has access of its own. What was wrapped anywhere else opens nothing here.
 */
export interface WrappedTransfer {
  /**
   * A key as its file has it, wrapped.
   * @throws CUSTODY_KEY_MISSING, CUSTODY_STORE_UNREADABLE, CUSTODY_STORE_CORRUPT
   */
  readonly wrapped: (keyId: string) => Promise<Buffer>;
  /**
   * Takes a wrapped key, once it has opened here and is the key of that id; one that is there stays as it is.
   * @throws CUSTODY_STORE_FOREIGN, CUSTODY_STORE_CORRUPT, CUSTODY_STORE_UNWRITABLE, and what the service throws
   */
  readonly adopt: (keyId: string, wrapped: Uint8Array) => Promise<StoredKey>;
  /** The public key of this store's signer (SPKI), wrapped: only who may use the wrapping key can have made it. */
  readonly introduction: () => Promise<Buffer>;
  /** The public key in another store's {@link introduction}, or null when it was not wrapped by the same key. */
  readonly introduced: (introduction: Uint8Array) => Promise<Buffer | null>;
}

/**
 * Where X25519 private keys live: it makes, takes, uses and destroys them, and gives out public keys and KEM shared secrets
 * alone. It knows no states and no dates; those are the keyring's. What it promises is durable before the promise resolves;
 * a call that rejects has changed nothing, or nothing but a key that `list` shows.
 */
export interface KeyStore {
  readonly facts: KeyStoreFacts;
  /** P-256 key of the same place, made at the first opening: it vouches for the sessions of the audit log. */
  readonly signer: KeySigner;
  /** Every key that it holds, in the order of key ids. */
  readonly list: () => Promise<readonly StoredKey[]>;
  readonly generate: () => Promise<StoredKey>;
  /**
   * Takes a raw X25519 private key (32 bytes, RFC 7748) that was made elsewhere. A key that is there already stays as it is.
   * @throws CUSTODY_KEY_INVALID
   */
  readonly importKey: (privateKey: Uint8Array) => Promise<StoredKey>;
  /** Removes a key for good; one that is not there is gone already. */
  readonly destroy: (keyId: string) => Promise<void>;
  /**
   * Shared secrets (32 bytes, RFC 9180 section 4.1) of encapsulated keys, in order; null for one that has another length
   * than 32, or is a point of low order (section 7.1.4). Rejects as a whole when the store cannot be reached.
   * @throws CUSTODY_KEY_MISSING when it holds no such key
   */
  readonly decapsulate: (keyId: string, encapsulated: readonly Uint8Array[]) => Promise<readonly (Uint8Array | null)[]>;
  /** Of a store whose wrapping key several custodies can use. @default its keys stay where they are */
  readonly transfer?: WrappedTransfer;
  /** Forgets whatever it holds in memory, and lets go of the device. Everything rejects afterwards. */
  readonly close: () => Promise<void>;
}
