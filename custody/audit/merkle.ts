import { hash } from "node:crypto";
import type { KemItem, KemResult } from "../kem.ts";

const HASH_BYTES = 32;
const STATUS = { "unknown-key": 1, "decapsulation-failed": 2 } as const;

// One for all: nothing here waits, so no two calls are at it at once. Leaf: 0x00 || key id (8) || enc (32) || status.
const leafInput = Buffer.alloc(42);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Hash of a leaf: SHA-256(0x00 || data) (RFC 9162, section 2.1.1). */
export function leafHash(data: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([Buffer.of(0), data]), "buffer");
}

/**
 * Leaf of one item of a batch: key id, encapsulated key, and a byte that says what became of it (0 opened, 1 unknown key,
 * 2 decapsulation failed). An encapsulated key of another length than 32 goes in as its SHA-256.
 */
export function itemLeaf({ keyId, encapsulatedKey }: KemItem, result: KemResult): Buffer {
  if (keyId.length !== 8) throw new RangeError(`a key id of ${keyId.length} bytes`);
  leafInput.set(keyId, 1);
  leafInput.set(encapsulatedKey.length === HASH_BYTES ? encapsulatedKey : hash("sha256", encapsulatedKey, "buffer"), 9);
  leafInput[41] = typeof result === "string" ? STATUS[result] : 0;
  return hash("sha256", leafInput, "buffer");
}

/** Root over the items of a batch in their order, lower-case hex, as its record has it. */
export function batchRoot(items: readonly KemItem[], results: readonly KemResult[]): string {
  if (items.length !== results.length) throw new RangeError(`${results.length} results of ${items.length} items`);
  return merkleRoot(items.map((item, index) => itemLeaf(item, results[index] as KemResult))).toString("hex");
}

/** Root of a tree over these leaf hashes (RFC 9162, section 2.1.1). @throws RangeError when there are none */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  let level = leaves;
  while (level.length > 1) level = levelAbove(level);
  const [root] = level;
  if (root === undefined) throw new RangeError("a tree without leaves");
  return Buffer.from(root);
}

/**
 * What proves that a leaf is in a tree, from the leaf upwards (RFC 9162, section 2.1.3.1).
 * @param index 0-based
 * @throws RangeError when there is no such leaf
 */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): readonly Buffer[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index}`);
  const proof: Buffer[] = [];
  for (let level = leaves, at = index; level.length > 1; level = levelAbove(level), at >>= 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) proof.push(Buffer.from(sibling));
  }
  return proof;
}

/** What {@link verifyInclusion} holds against each other. */
export interface InclusionClaim {
  readonly leaf: Uint8Array;
  /** 0-based. */
  readonly index: number;
  /** Leaves of the tree: `items` of the record. */
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Whether a leaf is at that place of the tree with that root (RFC 9162, section 2.1.3.2). */
export function verifyInclusion({ leaf, index, size, proof, root }: InclusionClaim): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= size) return false;
  let [at, last, reached] = [index, size - 1, leaf];
  const rest = [...proof];
  for (; last > 0; at >>= 1, last >>= 1) {
    // The last node of a level that has no sibling goes up as it is.
    if (at === last && at % 2 === 0) continue;
    const sibling = rest.shift();
    if (sibling === undefined) return false;
    reached = at % 2 === 1 ? nodeHash(sibling, reached) : nodeHash(reached, sibling);
  }
  return rest.length === 0 && Buffer.compare(reached, root) === 0;
}

function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index] as Uint8Array, level[index + 1]];
    above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return hash("sha256", nodeInput, "buffer");
}
