import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KemItem, KemResult } from "../kem.ts";
import { batchRoot, inclusionProof, itemLeaf, leafHash, merkleRoot, verifyInclusion } from "./merkle.ts";

// The reference tree of Certificate Transparency's own tests: leaves, roots of its first n, and audit paths.
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const PATHS: readonly (readonly [index: number, size: number, path: readonly string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  ],
  [
    5,
    8,
    [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  ],
  [2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]],
  [
    1,
    5,
    [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  ],
];
const reference = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, "hex")));
const hexOf = (hashes: readonly Uint8Array[]) => hashes.map((each) => Buffer.from(each).toString("hex"));

/** MTH as RFC 9162 spells it, by halves and not by levels. */
function recursiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const [left, right] = [recursiveRoot(leaves.slice(0, half)), recursiveRoot(leaves.slice(half))];
  return hash("sha256", Buffer.concat([Buffer.of(1), left, right]), "buffer");
}

describe("a Merkle tree", () => {
  test.each(ROOTS.map((root, index) => [index + 1, root] as const))("of the first %i leaves", (size, root) => {
    expect(merkleRoot(reference.slice(0, size)).toString("hex")).toBe(root);
  });

  test.each(PATHS)("proves leaf %i of %i", (index, size, path) => {
    const leaves = reference.slice(0, size);
    const proof = inclusionProof(leaves, index);
    expect(hexOf(proof)).toEqual(path);
    expect(verifyInclusion({ leaf: leaves[index]!, index, size, proof, root: merkleRoot(leaves) })).toBe(true);
  });

  test("has the root of RFC 9162's recursion, and proves each leaf and no other, whatever its size", () => {
    const sizes = [...Array.from({ length: 40 }, (_, index) => index + 1), 1023, 1024];
    fc.assert(
      fc.property(fc.constantFrom(...sizes), fc.nat(), fc.nat(), (size, at, bit) => {
        const leaves = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`${size} ${index}`)));
        const [index, root] = [at % size, merkleRoot(leaves)];
        expect(root).toEqual(recursiveRoot(leaves));
        const proof = inclusionProof(leaves, index);
        const claim = { leaf: leaves[index]!, index, size, proof, root };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from("another")) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false);
        for (const wrong of [-1, 0.5, size]) expect(verifyInclusion({ ...claim, index: wrong })).toBe(false);
        if (size === 1) return;
        expect(verifyInclusion({ ...claim, index: (index + 1) % size })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: flipped(proof, bit) })).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("is no tree without leaves, and proves no leaf that it has not", () => {
    expect(() => merkleRoot([])).toThrow(RangeError);
    for (const index of [-1, 8, 0.5, Number.NaN]) expect(() => inclusionProof(reference, index)).toThrow(RangeError);
  });

  test("does not take a node for a leaf", () => {
    const [left, right] = [reference[0]!, reference[1]!];
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(merkleRoot([left, right]));
  });
});

describe("the tree of a batch", () => {
  const item = (n: number, bytes = 32): KemItem => ({
    keyId: Buffer.alloc(8, n),
    encapsulatedKey: Buffer.alloc(bytes, n),
  });
  const secret = Buffer.alloc(32, 7);

  test("has key id, encapsulated key and status as its leaves", () => {
    const data = (status: number) => Buffer.concat([Buffer.alloc(8, 1), Buffer.alloc(32, 1), Buffer.of(status)]);
    const results: KemResult[] = [secret, "unknown-key", "decapsulation-failed"];
    results.forEach((result, status) => {
      expect(itemLeaf(item(1), result)).toEqual(leafHash(data(status)));
    });
    const items = [item(1), item(2)];
    const leaves = items.map((each) => itemLeaf(each, secret));
    expect(batchRoot(items, [secret, secret])).toBe(merkleRoot(leaves).toString("hex"));
  });

  test("is another for another secret's message, status, order or number of items, and the same for another secret", () => {
    const items = [item(1), item(2)];
    const root = batchRoot(items, [secret, secret]);
    expect(batchRoot(items, [Buffer.alloc(32), secret])).toBe(root);
    expect(batchRoot(items, [secret, "decapsulation-failed"])).not.toBe(root);
    expect(batchRoot(items.toReversed(), [secret, secret])).not.toBe(root);
    expect(batchRoot([...items, item(2)], [secret, secret, secret])).not.toBe(root);
  });

  test("takes an encapsulated key of any length, and no key id of another", () => {
    for (const bytes of [0, 31, 33, 1_000]) {
      const keyed = Buffer.concat([Buffer.alloc(8, 1), hash("sha256", Buffer.alloc(bytes, 1), "buffer"), Buffer.of(2)]);
      expect(itemLeaf(item(1, bytes), "decapsulation-failed")).toEqual(leafHash(keyed));
    }
    for (const bytes of [0, 7, 9]) {
      const odd = { keyId: Buffer.alloc(bytes), encapsulatedKey: Buffer.alloc(32) };
      expect(() => itemLeaf(odd, secret)).toThrow(RangeError);
    }
    expect(() => batchRoot([item(1)], [])).toThrow(RangeError);
  });
});

/** One bit of one of the hashes is another. */
function flipped(proof: readonly Buffer[], bit: number): readonly Buffer[] {
  return proof.map((each, index) => {
    if (index !== bit % proof.length) return each;
    const copy = Buffer.from(each);
    copy[bit % 32]! ^= 1 << (bit % 8);
    return copy;
  });
}
