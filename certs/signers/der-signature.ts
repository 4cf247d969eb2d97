import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";

/** An ECDSA-Sig-Value in DER (RFC 3279, section 2.2.3), which openssl and cosign read, of `r || s` (IEEE P1363). */
export function derSignature(plain: Uint8Array): Buffer {
  const half = plain.length / 2;
  const value = new ECDSASigValue();
  value.r = integer(plain.subarray(0, half));
  value.s = integer(plain.subarray(half));
  return Buffer.from(AsnConvert.serialize(value));
}

/** A positive INTEGER's octets: no more than it needs, and the first bit is the sign (X.690, section 8.3). */
function integer(coordinate: Uint8Array): ArrayBuffer {
  const first = coordinate.findIndex((octet) => octet !== 0);
  const digits = first < 0 ? coordinate.subarray(-1) : coordinate.subarray(first);
  const signed = (digits[0] ?? 0) < 0x80 ? [...digits] : [0, ...digits];
  return new Uint8Array(signed).buffer;
}
