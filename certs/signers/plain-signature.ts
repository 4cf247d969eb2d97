import type { ECDSASigValue } from "@peculiar/asn1-ecc";
import { COORDINATE_BYTES, type Curve } from "./signer.ts";

/** `r || s`, each padded to the size of a coordinate (IEEE P1363), of an ECDSA-Sig-Value (RFC 3279, section 2.2.3). */
export function plainSignature({ r, s }: ECDSASigValue, curve: Curve): Buffer {
  const size = COORDINATE_BYTES[curve];
  return Buffer.concat([coordinate(r, size), coordinate(s, size)]);
}

function coordinate(integer: ArrayBuffer, size: number): Buffer {
  const padded = Buffer.concat([Buffer.alloc(size), Buffer.from(integer)]);
  return padded.subarray(padded.length - size);
}
