import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

/** Window of a frame: a piece and its dictionary lie in it. */
const WINDOW_LOG = 26;
const LEVEL = 12;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/**
 * What makes new bytes out of old ones: a zstd frame whose dictionary the old ones are (RFC 8878, section 5, raw content).
 */
export async function makePatch(old: Uint8Array, bytes: Uint8Array): Promise<Buffer> {
  // Tables as large as the old bytes, or its older part is not found.
  const log = Math.min(26, Math.max(17, Math.ceil(Math.log2(Math.max(2, old.length)))));
  const params = {
    [constants.ZSTD_c_compressionLevel]: LEVEL,
    [constants.ZSTD_c_windowLog]: WINDOW_LOG,
    [constants.ZSTD_c_hashLog]: log,
    [constants.ZSTD_c_chainLog]: log,
  };
  return compress(bytes, { dictionary: old, params, pledgedSrcSize: bytes.length });
}

/**
 * The new bytes; never more than so many are unpacked.
 * @throws what zlib throws for what is no such frame, or for one that has more
 */
export async function applyPatch(old: Uint8Array, patch: Uint8Array, bytes: number): Promise<Buffer> {
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  return decompress(patch, { dictionary: old, params, maxOutputLength: bytes });
}
