import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { TOOLKIT_FOLDER } from "../toolkit/layout.ts";
import { asUnwritable, writingSite } from "./writing.ts";

/** Folders whose files need not be written a second time. */
export interface LinkSources {
  /** Folders of versions of this site. */
  readonly others: readonly string[];
  /** Folder of the toolkit that runs, such as the one that `start.sh` has unpacked; undefined for a clone. */
  readonly ownToolkit: string | undefined;
}

/** Where a file of a version may lie already. */
export function candidatesOf({ others, ownToolkit }: LinkSources, path: string): readonly string[] {
  const [folder, ...below] = path.split("/");
  const own = ownToolkit !== undefined && folder === TOOLKIT_FOLDER ? [join(ownToolkit, ...below)] : [];
  return [...others.map((other) => join(other, path)), ...own];
}

/** No word about the disk: the file is not there, on another file system, linked too often, or of somebody who may not link it. */
const NOT_LINKED = new Set(["ENOENT", "ENOTDIR", "EXDEV", "EMLINK", "EPERM", "EACCES"]);

/**
 * Links one of the candidates that has just what is wanted. It is held against that where it is linked: by then nobody can put another in
 * its place. Files of another user are left, who could write to them.
 * @param isThat - whether the file at that path is what is wanted
 * @returns whether it is there now
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export async function linkOneOf(
  candidates: readonly string[],
  file: string,
  isThat: (file: string) => Promise<boolean>,
): Promise<boolean> {
  for (const candidate of candidates) {
    writingSite(file, () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      rmSync(file, { force: true });
    });
    if (!linked(candidate, file)) continue;
    if (isOwn(file) && (await isThat(file))) {
      // Whoever has unpacked it need not have waited for the disk.
      writingSite(file, () => syncFile(file));
      return true;
    }
    writingSite(file, () => rmSync(file));
  }
  return false;
}

function linked(candidate: string, file: string): boolean {
  try {
    linkSync(candidate, file);
    return true;
  } catch (thrown) {
    if (NOT_LINKED.has((thrown as NodeJS.ErrnoException).code ?? "")) return false;
    throw asUnwritable(file, thrown);
  }
}

function isOwn(file: string): boolean {
  const stats = lstatSync(file);
  return stats.isFile() && stats.uid === process.geteuid?.();
}

/** Brings the bytes of a file to the disk. */
export function syncFile(file: string): void {
  const descriptor = openSync(file, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
