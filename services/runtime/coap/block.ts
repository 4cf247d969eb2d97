import { renderUint } from "./message.ts";

/** Value of a Block1 option (RFC 7959, section 2.2). */
export interface Block {
  /** Position of this block, 0..2^20-1. */
  readonly number: number;
  /** Whether more blocks follow. */
  readonly more: boolean;
  /** Size exponent 0..6: a block has 2^(exponent+4) bytes, so 16..1024. */
  readonly exponent: number;
}

/** Bytes of one block of that size exponent. */
export function blockBytes(exponent: number): number {
  return 2 ** (exponent + 4);
}

/** The block option, or null when the value is longer than 3 bytes or has the reserved exponent 7. */
export function parseBlock(value: Buffer): Block | null {
  if (value.length > 3) return null;
  const word = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  const exponent = word & 7;
  return exponent === 7 ? null : { number: word >>> 4, more: (word & 8) !== 0, exponent };
}

/** The value of the block option. */
export function renderBlock({ number, more, exponent }: Block): Buffer {
  return renderUint(number * 16 + (more ? 8 : 0) + exponent);
}
