import { bundleFormatErrors } from "../errors.ts";
import { BLOCK_BYTES, type Layout, layoutOf, paddingOf, renderHeader, renderSums } from "../layout.ts";
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from "../manifest.ts";
import { SLOT_BYTES } from "../slot.ts";
import type { Parts } from "./parts.ts";

/** What stands before the first plain file. */
export interface Head {
  readonly slot: Uint8Array;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
  readonly sums: Uint8Array;
  readonly layout: Layout;
}

/** Where the size stands in a header, and how: eleven octal digits and a space. */
const SIZE = { from: 124, to: 136, form: /^[0-7]{11} $/ } as const;

/**
 * Reads the slot, the manifest and the sums, and compares the size of the files with that of the archive that they describe. The only thing
 * that is taken from a header is the size of the manifest; the header is then compared with the one that it has to be.
 * @throws BUNDLE_TRUNCATED, BUNDLE_PART_MISSING, BUNDLE_MALFORMED, BUNDLE_OTHER_FORM
 */
export async function readHead(parts: Parts): Promise<Head> {
  const read = async (offset: number, bytes: number): Promise<Buffer> => {
    const into = Buffer.alloc(bytes);
    await parts.read(offset, into);
    return into;
  };
  const expect = async (offset: number, expected: Uint8Array, what: string): Promise<number> => {
    const found = await read(offset, expected.length);
    if (found.compare(expected) !== 0) throw malformed(parts, what);
    return offset + expected.length;
  };
  const fixed = (path: string, bytes: number) => renderHeader({ path, bytes, executable: false });
  const first = await read(0, Math.min(BLOCK_BYTES, parts.bytes));
  if (first.compare(await fixed("signatures.json", SLOT_BYTES)) !== 0) throw noBundle(parts);
  const slot = await read(BLOCK_BYTES, SLOT_BYTES);
  let at = BLOCK_BYTES + SLOT_BYTES;
  const bytes = sizeIn(await read(at, BLOCK_BYTES));
  if (bytes === undefined || bytes > MAX_MANIFEST_BYTES) throw malformed(parts, "the size of its manifest");
  at = await expect(at, await fixed("manifest.json", bytes), "the header of its manifest");
  const manifestBytes = await read(at, bytes);
  const manifest = parseManifest(manifestBytes);
  at = await expect(at + bytes, Buffer.alloc(paddingOf(bytes)), "what follows its manifest");
  const sums = renderSums(manifest);
  at = await expect(at, await fixed("SHA256SUMS", sums.length), "the header of SHA256SUMS");
  await expect(at, sums, "SHA256SUMS");
  const layout = layoutOf(manifest);
  checkSizes(parts, layout.bytes);
  return { slot, manifestBytes, manifest, sums, layout };
}

function sizeIn(header: Buffer): number | undefined {
  const text = header.toString("latin1", SIZE.from, SIZE.to);
  return SIZE.form.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** All parts but the last are of one size, and together they are exactly the archive. */
function checkSizes({ files, sizes, bytes, split }: Parts, expected: number): void {
  const path = files[0] ?? "";
  const [first = 0] = sizes;
  const last = sizes.at(-1) ?? 0;
  const odd = sizes.slice(0, -1).findIndex((size) => size !== first);
  if (odd >= 0 || last > first) {
    const which = files[odd >= 0 ? odd : files.length - 1];
    throw bundleFormatErrors.error(
      "BUNDLE_TRUNCATED",
      `"${which}" has another size than "${path}"; all parts but the last are of one size`,
      { path: which },
    );
  }
  if (bytes > expected) {
    throw bundleFormatErrors.error("BUNDLE_MALFORMED", `${bytes - expected} bytes stand behind the end of the bundle`, {
      path: files.at(-1),
    });
  }
  if (bytes === expected) return;
  const code = split && last === first ? "BUNDLE_PART_MISSING" : "BUNDLE_TRUNCATED";
  const what = split ? `${files.length} parts with ${bytes} bytes` : `${bytes} bytes`;
  throw bundleFormatErrors.error(code, `there are ${what}; the bundle has ${expected}`, { path: files.at(-1) });
}

/** Most likely another file was named: nothing of it is as in a bundle. */
function noBundle({ files }: Parts): Error {
  const [path = ""] = files;
  return bundleFormatErrors.error("BUNDLE_MALFORMED", `"${path}" is no bundle: it does not begin as one`, {
    path,
    fix: "name a file that `trustkern bundle create` wrote, such as site.tkb or site.tkb.001; if it is one, copy it again from where it was made",
  });
}

function malformed({ files }: Parts, what: string): Error {
  const [path = ""] = files;
  return bundleFormatErrors.error("BUNDLE_MALFORMED", `"${path}" is no bundle: ${what} is not as it has to be`, {
    path,
  });
}
