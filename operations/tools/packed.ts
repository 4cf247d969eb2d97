import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { cachedFolder } from "./cached-folder.ts";
import type { ToolsContext } from "./context.ts";
import { ensureTool, toolKey } from "./ensure-tool.ts";
import type { ToolName } from "./programs.ts";

const compress = promisify(zstdCompress);
/** Half a minute once, for a file that each site keeps. */
const LEVEL = 12;

/** A program as it lies where room is short. */
export interface PackedProgram {
  /** To be called as the program is: it unpacks into memory what lies beside it, and becomes that. */
  readonly starter: string;
  /** The program, to lie beside it under the same name with {@link PACKED} after it. */
  readonly packed: string;
}

/** What the name of a packed program has more than that of its starter. */
export const PACKED = ".zst";

/**
 * A program packed with zstd, with what starts it; made where the cache has none. The same program and runtime give the same bytes.
 * @throws what {@link ensureTool} throws
 */
export async function ensurePacked(context: ToolsContext, name: ToolName): Promise<PackedProgram> {
  const program = await ensureTool(context, name);
  const starter = await ensureTool(context, "unzstd");
  const key = `packed-${toolKey(context, name)}-zstd-${process.versions.zstd}-${LEVEL}`;
  const folder = await cachedFolder(context, key, async (unfinished) => {
    context.onProgress(`packing ${name} (once, half a minute)`);
    const packed = await compress(readFileSync(program), {
      params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    writeFileSync(join(unfinished, `${name}${PACKED}`), packed);
  });
  return { starter, packed: join(folder, `${name}${PACKED}`) };
}
