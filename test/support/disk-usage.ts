import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Bytes that folders take on a disk, in whole blocks; a file with several names counts once. */
export function diskUsage(...folders: readonly string[]): number {
  const seen = new Map<string, number>();
  const look = (path: string): void => {
    const stats = lstatSync(path);
    seen.set(`${stats.dev} ${stats.ino}`, stats.blocks * 512);
    if (stats.isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
  };
  folders.forEach(look);
  return seen.values().reduce((sum, bytes) => sum + bytes, 0);
}
