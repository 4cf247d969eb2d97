import { dirname } from "node:path";
import type { Machine } from "./machine.ts";

/** The folder itself, or the nearest one above it that is there: what is not there yet will lie on the same disk. */
export function nearestExisting({ realPath }: Machine, folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    const found = realPath(path);
    if (found !== undefined) return found;
    if (dirname(path) === path) return path;
  }
}
