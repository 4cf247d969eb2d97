import type { Generation, NewGeneration, StateChange } from "../generation.ts";

/** One KEM ciphertext to open: RFC 9180 section 4.1, `Decap(enc, skR)`. */
export interface KemItem {
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** `enc` of HPKE, 32 bytes. */
  readonly encapsulatedKey: Uint8Array;
}

/** The KEM's shared secret (32 bytes), or why there is none: a verdict about the message, never a fault of the back end. */
export type KemResult = Uint8Array | "unknown-key" | "decapsulation-failed";

/**
 * Where HPKE private keys live. A back end gives out public keys and KEM shared secrets, and never a private key.
 * Whatever it promises is durable before the promise resolves; a call that rejects has changed nothing.
 */
export interface CustodyBackend {
  /** Every generation ever made, oldest first, destroyed ones included. */
  list(): readonly Generation[];
  /** Makes a key pair inside the back end. */
  generate(spec: NewGeneration): Promise<Generation>;
  /**
   * Takes a raw X25519 private key that was made elsewhere. A key that is there already stays as it is.
   * @throws CUSTODY_KEY_INVALID
   */
  importKey(privateKey: Uint8Array, spec: NewGeneration): Promise<Generation>;
  /** Applies all steps or none; `destroyed` removes the private key for good. */
  transition(changes: readonly StateChange[]): Promise<void>;
  /**
   * Opens a batch; one result for each item, in order. `next`, `active` and `retired` generations open.
   * Rejects as a whole when the back end cannot be reached.
   */
  decapsulate(items: readonly KemItem[]): Promise<readonly KemResult[]>;
  /** Forgets every private key that it holds in memory. */
  close(): void;
}
