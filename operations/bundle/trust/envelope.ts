import { z } from "zod";
import { derSignature } from "../../../certs/signers/der-signature.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { preAuthenticationEncoding } from "../../../protocol/dsse.ts";
import { toLowS } from "../../../protocol/low-s.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";

/** Signatures of an envelope at most: eight old and eight new keys sign one root. */
const MAX_SIGNATURES = 16;

const base64 = z
  .string()
  .max(65_536)
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "not base64");

/** ECDSA on P-256 in DER has 72 bytes at most. */
const signature = z.strictObject({
  keyid: z.string().regex(/^[0-9a-f]{64}$/, "not 64 hex digits"),
  sig: base64.max(96),
});

/**
 * A DSSE envelope (secure-systems-lab/dsse, v1.0.2) in its only form: every signature with the fingerprint of its key, in ascending
 * order and each key once.
 */
export const envelopeSchema = z.strictObject({
  payload: base64,
  payloadType: z.string().max(100),
  signatures: z
    .array(signature)
    .max(MAX_SIGNATURES)
    .refine(
      (all) => all.every(({ keyid }, i) => i === 0 || (all[i - 1]?.keyid ?? "") < keyid),
      "a key twice, or not in order",
    ),
});

/** See {@link envelopeSchema}. */
export type Envelope = Readonly<z.output<typeof envelopeSchema>>;

/** What was signed. */
export function payloadOf({ payload }: Pick<Envelope, "payload">): Buffer {
  return Buffer.from(payload, "base64");
}

/** An envelope that nobody has signed yet. */
export function unsigned(payloadType: string, payload: Uint8Array): Envelope {
  return { payload: Buffer.from(payload).toString("base64"), payloadType, signatures: [] };
}

/**
 * Adds the signatures of those who have not signed yet: ECDSA P-256 in DER with the lower s, and the fingerprint of the key as `keyid`.
 * @throws every SIGNER_ code
 */
export async function addSignatures(envelope: Envelope, signers: readonly KeySigner[]): Promise<Envelope> {
  const signed = new Uint8Array(preAuthenticationEncoding(envelope.payloadType, payloadOf(envelope)));
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  let all = envelope.signatures;
  for (const signer of signers) {
    const keyid = fingerprintOf(signer.publicKeySpki);
    if (all.some((each) => each.keyid === keyid)) continue;
    const plain = new Uint8Array(await signer.crypto.subtle.sign(algorithm, signer.signingKey, signed));
    all = inOrder([...all, { keyid, sig: derSignature(toLowS(plain)).toString("base64") }]);
  }
  return { ...envelope, signatures: all };
}

/** The signatures of two envelopes of one payload; of a key that is in both, the one of the first. */
export function mergeSignatures(first: Envelope, second: Envelope): Envelope {
  const had = new Set(first.signatures.map(({ keyid }) => keyid));
  return {
    ...first,
    signatures: inOrder([...first.signatures, ...second.signatures.filter(({ keyid }) => !had.has(keyid))]),
  };
}

function inOrder(all: Envelope["signatures"]): Envelope["signatures"] {
  return all.toSorted((a, b) => (a.keyid < b.keyid ? -1 : 1));
}
