/** Of `signatures.json`, always: signatures can be put into a bundle without moving a byte of anything else. */
export const SLOT_BYTES = 65_536;
