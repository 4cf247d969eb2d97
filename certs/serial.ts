/**
 * A serial number in the one form that is stored and compared: lower-case hex without leading zeros. Libraries differ in letter
 * case, in whole octets, and in the zero octet that keeps the number positive.
 */
export function normalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, "");
}
