import { linkSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder with the same files under the same names, each linked.
 * @throws what the file system throws
 */
export function copyHard(from: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyHard(source, target);
    else if (entry.isFile()) linkSync(source, target);
  }
}
