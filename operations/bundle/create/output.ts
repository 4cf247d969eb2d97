import { accessSync, constants, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SIZE_PATTERN, sizeBytes } from "../../../profiles/size.ts";
import { messageOf } from "../../../shared/errors.ts";
import { bundleFormatErrors } from "../format/errors.ts";
import { MIN_SPLIT_BYTES } from "../format/write.ts";

/**
 * Bytes of a part, of a text such as `4GiB`. Whether so few bytes are enough is known when the bundle is.
 * @throws BUNDLE_SPLIT_RANGE
 */
export function splitBytes(text: string): number {
  const bytes = sizeBytes(text);
  if (SIZE_PATTERN.test(text) && bytes >= MIN_SPLIT_BYTES) return bytes;
  throw bundleFormatErrors.error(
    "BUNDLE_SPLIT_RANGE",
    `"${text}" is no size of parts; accepted: a whole number of KiB, MiB or GiB, 128KiB or more, such as 700MiB`,
    { path: "--split" },
  );
}

/**
 * Refuses a place where a bundle cannot be written, or where one is already, before minutes of work that nobody could keep.
 * @throws BUNDLE_OUTPUT_THERE, BUNDLE_NOT_WRITABLE
 */
export function assertOutput(out: string): void {
  const folder = dirname(out);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw bundleFormatErrors.error("BUNDLE_NOT_WRITABLE", `cannot write into "${folder}": ${messageOf(cause)}`, {
      path: folder,
      cause,
    });
  }
  const own = basename(out);
  const taken = readdirSync(folder).find((name) => name === own || isPartOf(name, own));
  if (taken === undefined) return;
  const path = join(folder, taken);
  throw bundleFormatErrors.error("BUNDLE_OUTPUT_THERE", `"${path}" is there already`, { path });
}

function isPartOf(name: string, bundle: string): boolean {
  return name.startsWith(`${bundle}.`) && /^\.\d{3}$/.test(name.slice(bundle.length));
}
