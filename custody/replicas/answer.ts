/** What a follower asks: a fresh question, and the state that it has. */
export interface FollowQuestion {
  /** 32 random bytes. */
  readonly challenge: Uint8Array;
  /** SHA-256 of the state that it has, lower-case hex; 64 zeros where it has none. */
  readonly known: string;
}

/** A key on its way from one custody to another. */
export interface WrappedKey {
  readonly keyId: string;
  /** As it lies on the writer's disk, without the line that says so. */
  readonly wrapped: Uint8Array;
}

/** What the writer answers. Whoever carries it may be anybody: nothing in it is believed before it was verified. */
export interface FollowAnswer {
  /** Compact JWS. */
  readonly statement: string;
  /** The public key of the writer's signer, wrapped. */
  readonly introduction: Uint8Array;
  /** The text of the state; empty where the follower has it. */
  readonly state: string;
  /** Of every generation that is not destroyed, and of the import key; none where the follower has the state. */
  readonly keys: readonly WrappedKey[];
}
