import { encodeFields } from "./envelope.ts";
import { hpkeSeal, TELEMETRY_INFO } from "./hpke.ts";
import { type Signer, signEnvelope } from "./signature.ts";

/** A key that telemetry is sealed to. */
export interface Recipient {
  /** 8 bytes. */
  readonly keyId: Uint8Array;
  /** Raw X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A message before it is sealed and signed. */
export interface Message {
  /** 9 bytes. */
  readonly sensorId: Uint8Array;
  readonly bootId: number;
  readonly seq: number;
  /** Milliseconds since the Unix epoch; 0 while the clock is not set. */
  readonly timestamp: number;
  /** Bits of `FLAG`. */
  readonly flags: number;
  readonly plaintext: string;
}

/** An envelope's bytes: sealed to the recipient, then signed. */
export function sealEnvelope(message: Message, recipient: Recipient, signer: Signer): Promise<Uint8Array> {
  return sealWithAad(message, recipient, signer, encodeFields(headOf(message, recipient), 7));
}

/** As {@link sealEnvelope}, with associated data of the caller's choice: only the right ones open. */
export function sealWithAad(
  message: Message,
  recipient: Recipient,
  signer: Signer,
  aad: Uint8Array,
): Promise<Uint8Array> {
  const sealed = hpkeSeal(recipient.publicKey, TELEMETRY_INFO, aad, Buffer.from(message.plaintext));
  const ciphertext = Buffer.concat([sealed.enc, sealed.ciphertext]);
  return signEnvelope({ ...headOf(message, recipient), ciphertext }, signer);
}

function headOf({ sensorId, bootId, seq, timestamp, flags }: Message, { keyId }: Recipient) {
  return { version: 1, sensorId, bootId, seq, timestamp, flags, keyId };
}
