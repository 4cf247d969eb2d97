/** One KEM ciphertext to open: RFC 9180 section 4.1, `Decap(enc, skR)`. */
export interface KemItem {
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** `enc` of HPKE, 32 bytes. */
  readonly encapsulatedKey: Uint8Array;
}

/** The KEM's shared secret (32 bytes), or why there is none: a verdict about the message, never a fault of the back end. */
export type KemResult = Uint8Array | "unknown-key" | "decapsulation-failed";
