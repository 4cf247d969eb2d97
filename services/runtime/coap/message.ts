import { type ParsedPacket, parse } from "coap-packet";

/** A CoAP message as it came off the wire (RFC 7252, section 3). */
export type CoapMessage = ParsedPacket;

/** Address and UDP port of a peer. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Content formats that are used here (RFC 7252 section 12.3, RFC 6690, RFC 8949). */
export const CONTENT_FORMAT = { text: 0, linkFormat: 40, octets: 42, cbor: 60 } as const;

const CRITICAL_NOT_UNDERSTOOD = new Set<string | number>([
  "If-Match",
  "If-None-Match",
  "OSCORE",
  "Q-Block1",
  "Q-Block2",
  "Proxy-Uri",
  "Proxy-Scheme",
]);

/** The message in a datagram, or null when the datagram is none (RFC 7252, section 3: token of 8 bytes at most). */
export function parseDatagram(datagram: Buffer): CoapMessage | null {
  try {
    const message = parse(datagram);
    return message.token.length > 8 ? null : message;
  } catch {
    return null;
  }
}

/** Value of the first option of that name, or undefined. */
export function optionOf(message: CoapMessage, name: string): Buffer | undefined {
  return message.options.find((option) => option.name === name)?.value;
}

/** The path that the Uri-Path options spell, such as `/tk/v1`. */
export function pathOf(message: CoapMessage): string {
  return `/${message.options
    .filter((option) => option.name === "Uri-Path")
    .map((option) => option.value.toString("utf8"))
    .join("/")}`;
}

/** Whether the message holds a critical option that is not understood here (RFC 7252, section 5.4.1: odd numbers). */
export function hasUnknownCriticalOption(message: CoapMessage): boolean {
  return message.options.some(({ name }) => CRITICAL_NOT_UNDERSTOOD.has(name) || Number(name) % 2 === 1);
}

/** Unsigned integer option value: big-endian without leading zeros (RFC 7252, section 3.2). */
export function renderUint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}
