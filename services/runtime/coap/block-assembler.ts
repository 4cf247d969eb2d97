import { type Block, blockBytes } from "./block.ts";

/** What became of one block. */
export type BlockOutcome =
  | { readonly kind: "continue" }
  | { readonly kind: "complete"; readonly body: Buffer }
  | { readonly kind: "incomplete" }
  | { readonly kind: "too-large"; readonly body: Buffer };

/** Bounds of {@link createBlockAssembler}. */
export interface BlockAssemblerOptions {
  /** A body that outgrows this is given back as far as it came. */
  readonly maxBodyBytes: number;
  /** Unfinished bodies held at once; the oldest goes first. */
  readonly maxTransfers: number;
  /** An unfinished body is forgotten after this time (RFC 7252, section 4.8.2: EXCHANGE_LIFETIME). */
  readonly lifetimeMs: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/** Puts the blocks of requests together (RFC 7959, section 2.5). One body at a time for each key, in order. */
export interface BlockAssembler {
  /** @param key what makes blocks one body; a block 0 gives up what was there under the same key */
  readonly take: (key: string, block: Block, payload: Buffer) => BlockOutcome;
}

interface Transfer {
  readonly startedAt: number;
  readonly blocks: Buffer[];
  bytes: number;
}

/** Makes a {@link BlockAssembler} whose memory is at most `maxTransfers` times `maxBodyBytes` and one block. */
export function createBlockAssembler(options: BlockAssemblerOptions): BlockAssembler {
  const transfers = new Map<string, Transfer>();

  function forgetOld(): void {
    for (const [key, transfer] of transfers) {
      if (transfers.size <= options.maxTransfers && options.now() - transfer.startedAt <= options.lifetimeMs) return;
      transfers.delete(key);
    }
  }

  function start(key: string): Transfer {
    transfers.delete(key);
    const transfer: Transfer = { startedAt: options.now(), blocks: [], bytes: 0 };
    transfers.set(key, transfer);
    forgetOld();
    return transfer;
  }

  return {
    take(key, block, payload) {
      const transfer = block.number === 0 ? start(key) : transfers.get(key);
      const size = blockBytes(block.exponent);
      const fits = block.more ? payload.length === size : payload.length <= size;
      if (!transfer || !fits || block.number * size !== transfer.bytes) {
        transfers.delete(key);
        return { kind: "incomplete" };
      }
      transfer.blocks.push(payload);
      transfer.bytes += payload.length;
      const tooLarge = transfer.bytes > options.maxBodyBytes;
      if (block.more && !tooLarge) return { kind: "continue" };
      transfers.delete(key);
      return { kind: tooLarge ? "too-large" : "complete", body: Buffer.concat(transfer.blocks) };
    },
  };
}
