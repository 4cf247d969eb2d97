import type { KeyObject } from "node:crypto";
import { protocolErrors } from "./errors.ts";
import { type Signer, verifyP256 } from "./signature.ts";

/** Either base64 alphabet, as DSSE asks of a reader. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** More signatures than this are not looked at. */
const MAX_SIGNATURES = 8;

/**
 * Signs a payload: a DSSE envelope (secure-systems-lab/dsse, v1.0.2) in JSON, with one ECDSA P-256 signature r || s.
 */
export async function dsseSign(payloadType: string, payload: Uint8Array, signer: Signer): Promise<string> {
  const signature = await signer(preAuthenticationEncoding(payloadType, payload));
  return renderDsse(payloadType, payload, { sig: signature });
}

/** A signature of any kind, and a hint whose it is, which nothing protects. */
export interface DsseSignature {
  readonly keyid?: string | undefined;
  readonly sig: Uint8Array;
}

/** An envelope with signatures of any kind, in the order in which they are given: equal parts give equal bytes. */
export function renderDsse(payloadType: string, payload: Uint8Array, ...signatures: readonly DsseSignature[]): string {
  const rendered = signatures.map(({ keyid, sig }) => ({ keyid, sig: base64(sig) }));
  return JSON.stringify({ payload: base64(payload), payloadType, signatures: rendered });
}

/**
 * The payload of a DSSE envelope, once a signature by that key was found on it. Nothing of it is parsed before.
 * @throws DSSE_MALFORMED for another form or payload type
 * @throws DSSE_BAD_SIGNATURE
 */
export function dsseVerify(envelopeJson: string, payloadType: string, publicKey: KeyObject): Buffer {
  const { payload, signatures } = parseDsse(envelopeJson, payloadType);
  const signed = preAuthenticationEncoding(payloadType, payload);
  if (!signatures.some((signature) => verifyP256(publicKey, signed, signature))) {
    throw protocolErrors.error(
      "DSSE_BAD_SIGNATURE",
      `no signature of the ${payloadType} verifies with the expected key`,
    );
  }
  return payload;
}

interface Dsse {
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
}

function parseDsse(json: string, payloadType: string): Dsse {
  const envelope = asObject(parseJson(json));
  if (envelope.payloadType !== payloadType) {
    throw malformed(`"payloadType" must be ${payloadType}`, "payloadType");
  }
  const { signatures } = envelope;
  if (!Array.isArray(signatures) || signatures.length < 1 || signatures.length > MAX_SIGNATURES) {
    throw malformed(`"signatures" must be 1..${MAX_SIGNATURES} objects`, "signatures");
  }
  return {
    payload: bytesOf(envelope.payload, "payload"),
    signatures: signatures.map((signature: unknown, i) => bytesOf(asObject(signature).sig, `signatures[${i}].sig`)),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw protocolErrors.error("DSSE_MALFORMED", "not JSON", { cause });
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw malformed("an object is expected");
  return value as Readonly<Record<string, unknown>>;
}

function bytesOf(value: unknown, path: string): Buffer {
  if (typeof value !== "string" || !BASE64.test(value)) throw malformed(`"${path}" must be base64`, path);
  return Buffer.from(value, "base64");
}

/** What is signed, PAE: "DSSEv1" SP length(type) SP type SP length(payload) SP payload. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function malformed(message: string, path?: string) {
  return protocolErrors.error("DSSE_MALFORMED", message, { path });
}
