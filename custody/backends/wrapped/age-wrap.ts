import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { boundContext, type KeyWrap, wrapClosed } from "./key-wrap.ts";

interface AgePair {
  readonly encrypter: Encrypter;
  readonly decrypter: Decrypter;
}

/**
 * Wraps with age, to an identity's own recipient. age has no additional data: the context stands before the bytes. Tools of
 * age open such a body with the identity.
 * @param identity `AGE-SECRET-KEY-1…` (X25519) or `AGE-SECRET-KEY-PQ-1…` (ML-KEM-768 with X25519), a secret
 * @returns null when it is no identity
 */
export async function ageKeyWrap(identity: string): Promise<KeyWrap | null> {
  let pair = await ageOf(identity);
  if (!pair) return null;
  const openPair = (): AgePair => {
    if (!pair) throw wrapClosed();
    return pair;
  };
  return {
    wrap: async (bytes, context) => {
      const plaintext = Buffer.concat([boundContext(context), bytes]);
      const wrapped = await openPair().encrypter.encrypt(plaintext);
      plaintext.fill(0);
      return Buffer.from(wrapped);
    },
    unwrap: async (wrapped, context) => {
      const plaintext = await openPair()
        .decrypter.decrypt(wrapped)
        .catch(() => null);
      return plaintext && withoutContext(plaintext, boundContext(context));
    },
    close: async () => {
      // age keeps the identity to itself, out of reach of zeros.
      pair = null;
    },
  };
}

/** age's own errors repeat what they were given, which is the secret: none of them goes further. */
async function ageOf(identity: string): Promise<AgePair | null> {
  try {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return { encrypter, decrypter };
  } catch {
    return null;
  }
}

function withoutContext(plaintext: Uint8Array, bound: Buffer): Buffer | null {
  const bytes = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  if (bytes.subarray(0, bound.length).equals(bound)) return bytes.subarray(bound.length);
  bytes.fill(0);
  return null;
}
