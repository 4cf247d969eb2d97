import type { Draw } from "../weakenings/draw.ts";

/** What a mutation has to draw from. */
export interface Material {
  readonly good: Buffer;
  readonly others: readonly Buffer[];
  /** Where the entries of the good bundle begin, and last its end. */
  readonly boundaries: readonly number[];
}

/** Makes other bytes of a good bundle; they may turn out to be the same. */
export type Mutate = (material: Material, draw: Draw) => Buffer | Promise<Buffer>;

const BLOCK = 512;

/** Mutations that know nothing of what they change but where entries begin. */
export const BLIND: Readonly<Record<string, Mutate>> = {
  "flip a bit": ({ good }, draw) => flip(good, draw, draw.below(good.length)),
  "flip some bits": ({ good }, draw) => {
    let bytes = good;
    for (let left = 2 + draw.below(30); left > 0; left -= 1) bytes = flip(bytes, draw, draw.below(good.length));
    return bytes;
  },
  "flip a bit of a header": ({ good, boundaries }, draw) => flip(good, draw, draw.pick(boundaries) + draw.below(BLOCK)),
  "flip a bit of what fills up": ({ good, boundaries }, draw) =>
    flip(good, draw, draw.pick(boundaries.slice(1)) - 1 - draw.below(40)),
  "flip a bit of the end": ({ good }, draw) => flip(good, draw, good.length - 1 - draw.below(2 * BLOCK)),
  "flip a bit of the signatures": ({ good }, draw) => flip(good, draw, BLOCK + draw.below(6000)),
  "set a byte": ({ good }, draw) => {
    const bytes = Buffer.from(good);
    bytes[draw.below(good.length)] = draw.below(256);
    return bytes;
  },
  truncate: ({ good }, draw) => good.subarray(0, draw.below(good.length)),
  "truncate at an entry": ({ good, boundaries }, draw) => good.subarray(0, draw.pick(boundaries)),
  append: ({ good }, draw) => Buffer.concat([good, noise(draw, 1 + draw.below(2 * BLOCK))]),
  "append zeros": ({ good }, draw) => Buffer.concat([good, Buffer.alloc(BLOCK * (1 + draw.below(20)))]),
  insert: ({ good }, draw) => insert(good, draw.below(good.length), noise(draw, 1 + draw.below(100))),
  "insert blocks": ({ good, boundaries }, draw) =>
    insert(good, draw.pick(boundaries), Buffer.alloc(BLOCK * (1 + draw.below(4)))),
  "leave out": ({ good }, draw) => {
    const at = draw.below(good.length);
    return Buffer.concat([good.subarray(0, at), good.subarray(at + 1 + draw.below(1000))]);
  },
  "zero a range": ({ good }, draw) => {
    const at = draw.below(good.length);
    return Buffer.from(good).fill(0, at, Math.min(good.length, at + 1 + draw.below(1000)));
  },
  "swap two ranges": ({ good }, draw) => {
    const length = 1 + draw.below(2000);
    const [one, other] = [draw.below(good.length - length), draw.below(good.length - length)];
    const bytes = Buffer.from(good);
    good.copy(bytes, one, other, other + length);
    good.copy(bytes, other, one, one + length);
    return bytes;
  },
  "copy a range elsewhere": ({ good }, draw) => {
    const bytes = Buffer.from(good);
    const from = draw.below(good.length);
    good.copy(bytes, draw.below(good.length), from, from + 1 + draw.below(2000));
    return bytes;
  },
};

/** Mutations of whole entries, and of several bundles. */
export const ENTRIES: Readonly<Record<string, Mutate>> = {
  "have an entry twice": (material, draw) => {
    const [entry, ...at] = [draw.pick(entriesOf(material)), ...material.boundaries];
    return insert(material.good, draw.pick(at), entry);
  },
  "leave out an entry": (material, draw) => {
    const entries = entriesOf(material);
    const left = draw.below(entries.length);
    return joined(material, entries.toSpliced(left, 1));
  },
  "swap two entries": (material, draw) => {
    const entries = entriesOf(material);
    const [one, other] = [draw.below(entries.length), draw.below(entries.length)];
    const swapped = entries.with(one, entries[other] ?? Buffer.alloc(0)).with(other, entries[one] ?? Buffer.alloc(0));
    return joined(material, swapped);
  },
  "swap the contents of two entries": (material, draw) => {
    const entries = entriesOf(material);
    const [one, other] = [draw.below(entries.length), draw.below(entries.length)];
    const [a = Buffer.alloc(0), b = Buffer.alloc(0)] = [entries[one], entries[other]];
    const mix = (head: Buffer, body: Buffer) => Buffer.concat([head.subarray(0, BLOCK), body.subarray(BLOCK)]);
    return joined(material, entries.with(one, mix(a, b)).with(other, mix(b, a)));
  },
  "take a range of another bundle": ({ good, others }, draw) => {
    const other = draw.pick(others);
    const at = draw.below(good.length);
    const bytes = Buffer.from(good);
    other.copy(bytes, at, at, at + 1 + draw.below(70_000));
    return bytes;
  },
  "half of two bundles": ({ good, others, boundaries }, draw) => {
    const other = draw.pick(others);
    const at = draw.below(2) === 0 ? draw.pick(boundaries) : draw.below(good.length);
    const [head, tail] = draw.below(2) === 0 ? [good, other] : [other, good];
    return Buffer.concat([head.subarray(0, at), tail.subarray(at)]);
  },
  "another bundle": ({ others }, draw) => draw.pick(others),
  "the signatures of another bundle": ({ good, others }, draw) =>
    Buffer.concat([draw.pick(others).subarray(0, BLOCK + 65_536), good.subarray(BLOCK + 65_536)]),
};

function flip(bytes: Buffer, draw: Draw, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << draw.below(8)), at);
  return flipped;
}

function insert(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function noise(draw: Draw, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => draw.below(256)));
}

/** Header, content and what fills it up. */
function entriesOf({ good, boundaries }: Material): readonly Buffer[] {
  return boundaries.slice(0, -1).map((from, index) => good.subarray(from, boundaries[index + 1]));
}

function joined({ good, boundaries }: Material, entries: readonly Buffer[]): Buffer {
  return Buffer.concat([...entries, good.subarray(boundaries.at(-1))]);
}
