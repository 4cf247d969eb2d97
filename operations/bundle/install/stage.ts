import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Manifest } from "../format/manifest.ts";
import type { BundleContent } from "./content.ts";
import { siteErrors } from "./errors.ts";
import { digestOfFile } from "./file-digest.ts";
import { candidatesOf, type LinkSources, linkOneOf, syncFile } from "./link.ts";
import { MANIFEST_NAME, SIGNATURES_NAME } from "./site.ts";
import { asUnwritable, syncFolder, writingSite } from "./writing.ts";

/** One thing that lies in a version's folder: bytes, under every path that has them. */
export interface StoredFile {
  readonly digest: string;
  readonly bytes: number;
  readonly executable: boolean;
  /** In the order of the manifest; all are one file with several names. */
  readonly paths: readonly string[];
}

/**
 * What a version's folder has, each bytes once.
 * @throws BUNDLE_NAME_RESERVED
 */
export function storedFiles({ files, blobs }: Pick<Manifest, "files" | "blobs">): readonly StoredFile[] {
  const sizes = new Map(blobs.map(({ digest, bytes }) => [digest, bytes]));
  const stored = new Map<string, StoredFile & { readonly paths: string[] }>();
  for (const { path, digest, executable } of files) {
    if ([MANIFEST_NAME, SIGNATURES_NAME].includes(path.toLowerCase()))
      throw siteErrors.error("BUNDLE_NAME_RESERVED", `"${path}" is a file of the site's own`, { path });
    const key = `${digest} ${executable}`;
    const known = stored.get(key);
    if (known !== undefined) known.paths.push(path);
    else stored.set(key, { digest, bytes: sizes.get(digest) ?? 0, executable, paths: [path] });
  }
  return [...stored.values()];
}

/** What {@link stageFiles} is handed. */
export interface Staging extends LinkSources {
  readonly bundle: BundleContent;
  /** Folder that becomes the version's. */
  readonly to: string;
  readonly signal: AbortSignal;
}

/**
 * Puts a version's files together: what an earlier version or the toolkit that runs has is linked, the rest is read out of the bundle, and every byte is
 * on the disk when it returns. What an earlier try left is used where it is whole.
 * @throws BUNDLE_SITE_UNWRITABLE, BUNDLE_NAME_RESERVED, BUNDLE_SITE_CANCELLED, and what the bundle's reader throws
 */
export async function stageFiles(staging: Staging): Promise<void> {
  const { bundle, to, signal } = staging;
  const stored = storedFiles(bundle.manifest);
  writingSite(to, () => emptyOfOthers(to, bundle.manifestBytes));
  const wanted = new Map<string, StoredFile[]>();
  for (const file of stored) {
    assertGoesOn(signal);
    const first = join(to, file.paths[0] ?? "");
    if (await isWhole(first, file)) continue;
    const candidates = file.paths.flatMap((path) => candidatesOf(staging, path));
    if (await linkOneOf(candidates, first, (linked) => isWhole(linked, file))) continue;
    wanted.set(file.digest, [...(wanted.get(file.digest) ?? []), file]);
  }
  for await (const { digest, content } of bundle.blobs(new Set(wanted.keys()), { signal })) {
    const [first, ...rest] = wanted.get(digest) ?? [];
    if (first === undefined) continue;
    await writeStream(join(to, first.paths[0] ?? ""), content, first.executable);
    for (const file of rest) copyAs(join(to, first.paths[0] ?? ""), join(to, file.paths[0] ?? ""), file.executable);
    assertGoesOn(signal);
  }
  writingSite(to, () => {
    for (const file of stored) linkOthers(to, file);
    writeWhole(join(to, SIGNATURES_NAME), bundle.slot);
    for (const folder of foldersOf(to, stored)) {
      // Whatever the umask: who runs the toolkit need not be who installed it.
      chmodSync(folder, 0o755);
      syncFolder(folder);
    }
  });
}

/** A cut run of another bundle of this version may have left its files: the manifest, which comes first, says whose they are. */
function emptyOfOthers(to: string, manifest: Uint8Array): void {
  const file = join(to, MANIFEST_NAME);
  if (existsSync(file) && readFileSync(file).equals(manifest)) return;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true, mode: 0o755 });
  writeWhole(file, manifest);
  syncFolder(to);
}

function assertGoesOn(signal: AbortSignal): void {
  if (signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", "cancelled while files were staged");
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** Rights of a file of a version. */
export function modeOf(executable: boolean): number {
  return executable ? 0o555 : 0o444;
}

async function writeStream(file: string, content: Readable, executable: boolean): Promise<void> {
  // No path of a bundle has this sign.
  const partial = `${file}~`;
  const descriptor = writingSite(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    rmSync(partial, { force: true });
    rmSync(file, { force: true });
    return openSync(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  });
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) at += writingSite(file, () => writeSync(descriptor, chunk, at));
    }
    writingSite(file, () => fsyncSync(descriptor));
  } catch (thrown) {
    // A blob that is not what the bundle says leaves nothing that looks whole.
    rmSync(partial, { force: true });
    throw thrown;
  } finally {
    closeSync(descriptor);
  }
  writingSite(file, () => {
    chmodSync(partial, modeOf(executable));
    renameSync(partial, file);
  });
}

/** The same bytes with other rights are another file. */
function copyAs(from: string, to: string, executable: boolean): void {
  writingSite(to, () => {
    mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
    rmSync(to, { force: true });
    copyFileSync(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    chmodSync(to, modeOf(executable));
    syncFile(to);
  });
}

function linkOthers(to: string, { paths }: StoredFile): void {
  const [first = "", ...others] = paths;
  const { ino } = lstatSync(join(to, first));
  for (const path of others) {
    const file = join(to, path);
    if (inodeOf(file) === ino) continue;
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    rmSync(file, { force: true });
    linkSync(join(to, first), file);
  }
}

/** Whether a file is there with just these bytes and rights. */
export async function isWhole(
  file: string,
  { digest, bytes, executable }: Pick<StoredFile, "digest" | "bytes" | "executable">,
): Promise<boolean> {
  try {
    const stats = lstatSync(file);
    if (!stats.isFile() || stats.size !== bytes || (stats.mode & 0o777) !== modeOf(executable)) return false;
    return (await digestOfFile(file)) === digest;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw asUnwritable(file, thrown);
  }
}

function inodeOf(file: string): number | undefined {
  return lstatSync(file, { throwIfNoEntry: false })?.ino;
}

function writeWhole(file: string, bytes: Uint8Array): void {
  rmSync(file, { force: true });
  const descriptor = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o444);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function foldersOf(to: string, stored: readonly StoredFile[]): ReadonlySet<string> {
  const folders = new Set([to]);
  for (const { paths } of stored) {
    for (const path of paths) {
      for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) folders.add(join(to, folder));
    }
  }
  return folders;
}
