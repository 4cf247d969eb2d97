/**
 * A serial number in the one form that is stored and compared: lower-case hex of whole octets, without leading zero octets.
 * Libraries differ in letter case, and in the zero octet that keeps the number positive.
 */
export function normalSerial(hex: string): string {
  const digits = hex.toLowerCase().replace(/^0+(?=.)/, "");
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}
