import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";

/** Order of the base point of P-256 (SP 800-186, section 3.2.1.3). */
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const HALF = ORDER >> BigInt(1);
const COORDINATE = 32;

/**
 * The one of the two valid signatures of a content whose s is at most half of the order: (r, s) and (r, n - s) verify alike, so that
 * anybody can make the other one.
 * @param plain r || s of P-256, 64 bytes, verified
 */
export function toLowS(plain: Uint8Array): Buffer {
  const signature = Buffer.from(plain);
  const s = numberOf(signature.subarray(COORDINATE));
  if (s <= HALF) return signature;
  const other = (ORDER - s).toString(16).padStart(2 * COORDINATE, "0");
  return Buffer.concat([signature.subarray(0, COORDINATE), Buffer.from(other, "hex")]);
}

/** Whether the s of an ECDSA-Sig-Value in DER (RFC 3279, section 2.2.3) is the lower one; not so for what is no such value. */
export function isLowS(der: Uint8Array): boolean {
  try {
    const s = numberOf(Buffer.from(AsnConvert.parse(der, ECDSASigValue).s));
    return s > BigInt(0) && s <= HALF;
  } catch {
    return false;
  }
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex") || "0"}`);
}
