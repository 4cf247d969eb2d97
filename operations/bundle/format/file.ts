import { sizeText } from "../../../shared/size-text.ts";
import { bundleFormatErrors } from "./errors.ts";
import type { Bundle } from "./read.ts";

/** What is held in memory of one file. */
const MAX_BYTES = 67_108_864;

/**
 * A file of the bundle that is no larger than 64 MiB, such as an SBOM; its digest is checked.
 * @throws BUNDLE_NO_ENTRY, BUNDLE_TOO_LARGE, BUNDLE_DAMAGED, BUNDLE_INFLATES, BUNDLE_CANCELLED
 */
export async function bundledFile(bundle: Bundle, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const { files, blobs } = bundle.manifest;
  const file = files.find((each) => each.path === path);
  const blob = blobs.find(({ digest }) => digest === file?.digest);
  if (blob === undefined) {
    throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `the bundle has no file "${path}"`, { path });
  }
  if (blob.bytes > MAX_BYTES) {
    const accepted = `${sizeText(blob.bytes)}; accepted: ${sizeText(MAX_BYTES)} at most`;
    throw bundleFormatErrors.error("BUNDLE_TOO_LARGE", `"${path}" has ${accepted}`, { path });
  }
  for await (const { content } of bundle.blobs(new Set([blob.digest]), { signal })) {
    return Buffer.concat(await content.toArray());
  }
  return new Uint8Array(0);
}
