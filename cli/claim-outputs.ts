import { type ClaimedOutput, claimOutput } from "./files.ts";
import type { Io } from "./io.ts";

/**
 * Makes the files of one result before the work is done that they are for; what is not written until the end is removed again.
 * @param names of the files, by what they are
 * @throws CLI_FILE_EXISTS, CLI_OUTPUT
 */
export function claimOutputs<K extends string>(
  io: Io,
  names: Readonly<Record<K, string>>,
): { readonly files: Readonly<Record<K, ClaimedOutput>> } & Disposable {
  const claimed: [K, ClaimedOutput][] = [];
  const release = (): void => {
    for (const [, file] of claimed) file.release();
  };
  try {
    for (const [what, name] of Object.entries(names) as [K, string][]) claimed.push([what, claimOutput(io, name)]);
  } catch (thrown) {
    release();
    throw thrown;
  }
  return { files: Object.fromEntries(claimed) as Record<K, ClaimedOutput>, [Symbol.dispose]: release };
}
