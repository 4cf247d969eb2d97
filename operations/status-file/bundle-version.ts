import { readlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Version of the bundle that is installed: a site's state directory lies beside `current`, which leads to `versions/<n>`. Null where it
 * came from no bundle.
 * @param dir state directory
 */
export function installedBundle(dir: string): number | null {
  try {
    const [, digits] = /^versions\/([1-9][0-9]{0,9})$/.exec(readlinkSync(join(dirname(dir), "current"))) ?? [];
    return digits === undefined ? null : Number(digits);
  } catch {
    return null;
  }
}
