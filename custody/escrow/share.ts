import { hash } from "node:crypto";
import { bech32m } from "@scure/base";
import { hexOf } from "../../protocol/hex.ts";
import { escrowErrors } from "./errors.ts";

/** What every share's text begins with. */
const PREFIX = "tkshare";
const VERSION = 1;
const TENANT_BYTES = 4;
// Version (1), tenant's hash (4), key id (8), set id (8), threshold, total, index (1 each), share.
const KEY_ID_AT = 1 + TENANT_BYTES;
const SET_ID_AT = KEY_ID_AT + 8;
const COUNTS_AT = SET_ID_AT + 8;
const HEADER_BYTES = COUNTS_AT + 3;
/** Of a secret of 32 bytes: the value of each byte's polynomial, and the point at which it is that. */
const SHARE_BYTES = 33;
const GROUP = /.{1,4}/g;

/** One holder's part of an escrow key, and what it belongs to. */
export interface Share {
  /** First 4 bytes of SHA-256 of the tenant's name, lower-case hex. */
  readonly tenantHash: string;
  /** The generation's key id, 8 bytes in lower-case hex. */
  readonly keyId: string;
  /** The set that it was dealt in, 8 random bytes in lower-case hex; a re-share is another set. */
  readonly setId: string;
  /** Shares that open the escrow, 2..255. */
  readonly threshold: number;
  /** Shares in the set, threshold..255. */
  readonly total: number;
  /** Number of this share in the set, 1..total. */
  readonly index: number;
  /** What the secret sharing made, 33 bytes; a secret. */
  readonly bytes: Uint8Array;
}

/** {@link Share.tenantHash} of a tenant. */
export function tenantHashOf(tenant: string): string {
  return hash("sha256", tenant, "hex").slice(0, 2 * TENANT_BYTES);
}

/** SHA-256 over all that a share says, lower-case hex: its bytes are 256 random bits, which the digest does not give away. */
export function shareDigest(share: Share): string {
  const packed = pack(share);
  const digest = hash("sha256", packed, "hex");
  packed.fill(0);
  return digest;
}

/**
 * A share as people copy it: one line of Bech32m (BIP 350; 30 bits of checksum, no 1, b, i or o among its data), in groups
 * of four. The text is a secret.
 */
export function renderShare(share: Share): string {
  const packed = pack(share);
  const text = bech32m.encode(PREFIX, bech32m.toWords(packed), false);
  packed.fill(0);
  return `${PREFIX}1-${(text.slice(PREFIX.length + 1).match(GROUP) ?? []).join("-")}`;
}

/** Whether a text was meant to be a share, right or wrong. */
export function looksLikeShare(text: string): boolean {
  return plain(text).toLowerCase().startsWith(`${PREFIX}1`);
}

/**
 * The share that a text is, in either case, with or without hyphens and white space.
 * @param source file or question that it came from, for messages; the text itself reaches none
 * @throws CUSTODY_SHARE_NOT_ONE, CUSTODY_SHARE_CORRUPT
 */
export function parseShare(text: string, source: string): Share {
  if (!looksLikeShare(text)) {
    const message = `"${source}" has no share: it does not begin with ${PREFIX}1`;
    throw escrowErrors.error("CUSTODY_SHARE_NOT_ONE", message, { path: source });
  }
  const packed = decode(plain(text), source);
  try {
    return unpack(packed, source);
  } finally {
    packed.fill(0);
  }
}

function plain(text: string): string {
  return text.replace(/[\s-]/g, "");
}

function decode(text: string, source: string): Uint8Array {
  try {
    return bech32m.fromWords(bech32m.decode(text as `${string}1${string}`, false).words);
  } catch {
    // The library's message may quote the text.
    throw corrupt(source, "its checksum does not match: a character is wrong, missing or too many");
  }
}

function pack({ tenantHash, keyId, setId, threshold, total, index, bytes }: Share): Buffer {
  const ids = [tenantHash, keyId, setId].map((each) => Buffer.from(each, "hex"));
  return Buffer.concat([Buffer.of(VERSION), ...ids, Buffer.of(threshold, total, index), bytes]);
}

function unpack(packed: Uint8Array, source: string): Share {
  if (packed[0] !== VERSION) {
    const message = `"${source}" has a share of format version ${packed[0] ?? "none"}; accepted: ${VERSION}`;
    throw escrowErrors.error("CUSTODY_SHARE_NOT_ONE", message, { path: source });
  }
  if (packed.length !== HEADER_BYTES + SHARE_BYTES) throw corrupt(source, "it has another length than a share");
  const [threshold = 0, total = 0, index = 0] = packed.subarray(COUNTS_AT);
  if (threshold < 2 || total < threshold || index < 1 || index > total) {
    throw corrupt(
      source,
      `it says that it is ${index} of ${total} with threshold ${threshold}, which no ceremony deals`,
    );
  }
  return {
    tenantHash: hexOf(packed.subarray(1, KEY_ID_AT)),
    keyId: hexOf(packed.subarray(KEY_ID_AT, SET_ID_AT)),
    setId: hexOf(packed.subarray(SET_ID_AT, COUNTS_AT)),
    threshold,
    total,
    index,
    bytes: packed.slice(HEADER_BYTES),
  };
}

function corrupt(source: string, why: string): Error {
  return escrowErrors.error("CUSTODY_SHARE_CORRUPT", `the share in "${source}" is corrupt: ${why}`, { path: source });
}
