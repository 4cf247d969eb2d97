import { constants, createZstdCompress, createZstdDecompress, type ZstdCompress, type ZstdDecompress } from "node:zlib";

/** A window of 128 MiB: what the machine that unpacks has to hold. */
const WINDOW_LOG = 27;
/** What is unpacked at once. */
const OUTPUT_BYTES = 131_072;

/**
 * Compresses one segment. Long distance matching finds what the layers of several images have in common. Worker threads are not used:
 * with them, streams of this runtime were seen to end early.
 */
export function compressor(rawBytes: number): ZstdCompress {
  return createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: 4,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
      [constants.ZSTD_c_checksumFlag]: 0,
    },
    pledgedSrcSize: rawBytes,
  });
}

/** Unpacks one segment; a frame that asks for a larger window is refused. */
export function decompressor(): ZstdDecompress {
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG }, chunkSize: OUTPUT_BYTES });
}

/** The same bytes in chunks of one size: what zstd makes of a stream was seen to depend on how it is cut. */
export async function* rechunked(source: AsyncIterable<Uint8Array>, bytes = 1_048_576): AsyncGenerator<Uint8Array> {
  let chunk = Buffer.allocUnsafe(bytes);
  let filled = 0;
  for await (const piece of source) {
    for (let from = 0; from < piece.length; ) {
      const taken = piece.subarray(from, from + bytes - filled);
      chunk.set(taken, filled);
      from += taken.length;
      filled += taken.length;
      if (filled < bytes) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(bytes);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
