import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { writePrivate } from "../../../stacks/host/files.ts";
import { bundleTrustErrors } from "./errors.ts";
import { parseRoot, renderRoot, type SignedRoot, verifyRoot } from "./root.ts";

const ROOT_FILE = /^root-([1-9][0-9]{0,3})\.json$/;

/** The roots of trust of a vendor. */
export interface VendorRoots {
  /** Signed by as many as are needed, oldest first, from version 1 on. */
  readonly roots: readonly SignedRoot[];
  /** The next one, which not enough have signed yet. */
  readonly pending: SignedRoot | undefined;
}

/** Folder of what signs bundles, in a state directory: roots and the ledger. No key. */
export function bundleFolder(dir: string): string {
  return join(dir, "bundle");
}

/** Where a root of trust is in that folder. */
export function rootFile(folder: string, version: number): string {
  return join(folder, `root-${version}.json`);
}

/**
 * The roots of a folder, each held to the one before it.
 * @throws BUNDLE_ROOT_MALFORMED, BUNDLE_ROOT_BAD_SIGNATURE, BUNDLE_ROOT_BELOW_THRESHOLD, BUNDLE_ROOT_GAP
 */
export function readVendorRoots(folder: string): VendorRoots {
  const roots: SignedRoot[] = [];
  const versions = versionsIn(folder);
  for (const version of versions) {
    const next = readRootFile(rootFile(folder, version));
    if (next.root.version !== roots.length + 1) {
      const message = `root ${roots.length + 1} is missing, and here is root ${next.root.version}`;
      throw bundleTrustErrors.error("BUNDLE_ROOT_GAP", message, { path: rootFile(folder, version) });
    }
    const isLast = version === versions.at(-1);
    if (!isComplete(next, roots.at(-1), isLast)) return { roots, pending: next };
    roots.push(next);
  }
  return { roots, pending: undefined };
}

/**
 * The newest root that counts.
 * @throws BUNDLE_ROOT_MISSING
 */
export function newestRoot({ roots, pending }: VendorRoots, folder: string): SignedRoot {
  const newest = roots.at(-1);
  if (newest !== undefined) return newest;
  const waits = pending === undefined ? "there is none" : "not enough have signed the first one yet";
  throw bundleTrustErrors.error("BUNDLE_ROOT_MISSING", `no root of trust counts in "${folder}": ${waits}`, {
    path: folder,
    fix:
      pending === undefined
        ? "make one with `trustkern bundle trust init`"
        : `have the others sign with \`trustkern bundle trust sign ${rootFile(folder, 1)} --key PLACE\``,
  });
}

/**
 * Reads a root of trust from a file.
 * @throws BUNDLE_ROOT_MISSING, BUNDLE_ROOT_MALFORMED
 */
export function readRootFile(path: string): SignedRoot {
  return parseRoot(bytesOf(path), path);
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code !== "ENOENT";
    const message = there ? `"${path}" cannot be read: ${messageOf(cause)}` : `there is no file "${path}"`;
    const fix = "name the file of the root, as whoever made it handed it over, and one that you may read";
    throw bundleTrustErrors.error("BUNDLE_ROOT_MISSING", message, { path, fix, cause });
  }
}

/**
 * Writes a root of trust, whole or not at all.
 * @throws STATE_UNWRITABLE
 */
export function writeRootFile(path: string, root: SignedRoot): void {
  writePrivate(path, renderRoot(root));
}

/** Only the last one may wait for signatures. */
function isComplete(root: SignedRoot, before: SignedRoot | undefined, isLast: boolean): boolean {
  try {
    verifyRoot(root, before);
    return true;
  } catch (thrown) {
    const waits = thrown instanceof TrustKernError && thrown.code === "BUNDLE_ROOT_BELOW_THRESHOLD";
    if (waits && isLast) return false;
    throw thrown;
  }
}

function versionsIn(folder: string): readonly number[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).flatMap((name) => ROOT_FILE.exec(name)?.[1] ?? []);
  return found.map(Number).toSorted((a, b) => a - b);
}
