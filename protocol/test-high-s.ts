import { ECDSASigValue } from "@peculiar/asn1-ecc";
import { AsnConvert } from "@peculiar/asn1-schema";

/** For tests: order of the base point of P-256 (SP 800-186, section 3.2.1.3). */
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

/** For tests: of a signature by P-256 in DER the other one that verifies as well, which nobody needs a key for. */
export function highTwin(der: Uint8Array): Buffer {
  const value = AsnConvert.parse(der, ECDSASigValue);
  const digits = (ORDER - BigInt(`0x${Buffer.from(value.s).toString("hex")}`)).toString(16);
  const octets = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  const signed = (octets[0] ?? 0) < 0x80 ? [...octets] : [0, ...octets];
  value.s = new Uint8Array(signed).buffer;
  return Buffer.from(AsnConvert.serialize(value));
}
