/** Somewhere that a secret, or a plaintext, could have got to. */
export interface Place {
  /** Such as `docker inspect of container broker`, or a path. */
  readonly name: string;
  readonly content: Uint8Array | string | AsyncIterable<Uint8Array>;
}
