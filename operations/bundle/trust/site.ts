import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { writePrivate } from "../../../stacks/host/files.ts";
import { assertOwnFolders } from "../install/own-folders.ts";
import { siteOf } from "../install/site.ts";
import type { TrustDecision } from "./decide.ts";
import { bundleTrustErrors } from "./errors.ts";
import { parseRoot, renderRoot, type SignedRoot, verifyRoot } from "./root.ts";
import { type Seen, seenSchema } from "./seen.ts";
import { strictJson } from "./strict-json.ts";

/** What a site knows of whose bundles count. */
export interface SiteTrust {
  readonly root: SignedRoot;
  readonly seen: Seen;
}

/** Folder of the sites of a machine, each under the name of its deployment. */
export const SITES_DIR = "/opt/trustkern";

/** The files of a site's trust. */
export function siteTrustFiles(site: string) {
  const folder = join(site, "trust");
  return { folder, root: join(folder, "root.json"), seen: join(folder, "seen.json") } as const;
}

/**
 * What a site knows. Where it has a root, what it has seen must be there as well: the two are made together, and a site that has
 * forgotten would take an old bundle for its first.
 * @throws BUNDLE_ROOT_MISSING, BUNDLE_SITE_CORRUPT
 */
export function readSiteTrust(site: string): SiteTrust {
  const files = siteTrustFiles(site);
  const root = readIfThere(files.root);
  const seen = readIfThere(files.seen);
  if (root === undefined && (seen === undefined || parseSeen(seen, files.seen).version === 0)) {
    throw bundleTrustErrors.error("BUNDLE_ROOT_MISSING", `the site "${site}" has no root of trust`, {
      path: files.root,
      fix: `install it in person: trustkern bundle trust install --root FILE --fingerprint sha256:… --site ${site}; or name the folder where the site lies with --site DIR`,
    });
  }
  if (root === undefined) throw corrupt(files.root, "the file is not there, and the site has had bundles");
  if (seen === undefined) throw corrupt(files.seen, "the file is not there, and the site has a root of trust");
  return { root: siteRoot(root, files.root), seen: parseSeen(seen, files.seen) };
}

/**
 * Remembers a bundle, full and in use from now on: the site goes over to its root, and takes nothing older. Again, it changes nothing.
 * @param decision what {@link decideTrust} said of it with what {@link readSiteTrust} gave
 * @throws BUNDLE_ROLLBACK, BUNDLE_ROOT_OLD, BUNDLE_SITE_CORRUPT, STATE_UNWRITABLE
 */
export function recordSeen(site: string, decision: Pick<TrustDecision, "statement" | "manifest" | "root">): void {
  const { version, deployment, base } = decision.statement.predicate;
  // A delta is only the way to a full bundle, which has a statement of its own.
  if (base !== undefined) throw new TypeError("a delta is not what a site runs: record the full bundle");
  const files = siteTrustFiles(site);
  const { root, seen } = readSiteTrust(site);
  if (seen.version > version) {
    throw bundleTrustErrors.error(
      "BUNDLE_ROLLBACK",
      `version ${version} is older than ${seen.version}, which this site has had`,
    );
  }
  if (root.root.version > decision.root.root.version) {
    throw bundleTrustErrors.error("BUNDLE_ROOT_OLD", `this site has root ${root.root.version} by now`);
  }
  // The root first: killed between the two, the site has a newer root and takes the same bundle again.
  if (root.fingerprint !== decision.root.fingerprint) writePrivate(files.root, renderRoot(decision.root));
  writePrivate(files.seen, renderSeen({ version, deployment, manifest: decision.manifest }));
}

/**
 * Installs a root of trust that a person has compared, or one that follows the site's.
 * @param root whose fingerprint is the one that was handed over
 * @returns false where it was there already
 * @throws BUNDLE_ROOT_INSTALLED for one that does not follow, BUNDLE_ROOT_BAD_SIGNATURE, BUNDLE_ROOT_BELOW_THRESHOLD,
 *   BUNDLE_SITE_FOREIGN, BUNDLE_SITE_CORRUPT, STATE_UNWRITABLE
 */
export function installRoot(site: string, root: SignedRoot, { dryRun }: { readonly dryRun: boolean }): boolean {
  assertOwnFolders(siteOf(site));
  const files = siteTrustFiles(site);
  const there = readIfThere(files.root);
  if (there !== undefined) {
    const { root: before } = readSiteTrust(site);
    if (before.fingerprint === root.fingerprint) return false;
    assertNext(before, root, files.folder);
    verifyRoot(root, before);
  } else verifyRoot(root, undefined);
  if (dryRun) return true;
  // What was seen first: a root without it is a site that has forgotten.
  const seen = readIfThere(files.seen);
  if (seen === undefined) writePrivate(files.seen, renderSeen({ version: 0 }));
  else parseSeen(seen, files.seen);
  writePrivate(files.root, renderRoot(root));
  return true;
}

function assertNext(before: SignedRoot, root: SignedRoot, path: string): void {
  if (root.root.version === before.root.version + 1) return;
  const message = `the site has root ${before.root.version}, ${before.fingerprint}, and this is another root ${root.root.version}; accepted: root ${before.root.version + 1}`;
  throw bundleTrustErrors.error("BUNDLE_ROOT_INSTALLED", message, { path });
}

function renderSeen(seen: Seen): string {
  return `${stableJson({ schema: "trustkern.bundle-seen/1", ...seen })}\n`;
}

function parseSeen(bytes: Buffer, path: string): Seen {
  return strictJson(seenSchema, withoutNewline(bytes), (why) => corrupt(path, why));
}

function siteRoot(bytes: Buffer, path: string): SignedRoot {
  try {
    const root = parseRoot(bytes, path);
    verifyRoot(root, undefined);
    return root;
  } catch (thrown) {
    throw corrupt(path, messageOf(thrown));
  }
}

function withoutNewline(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw corrupt(path, `it cannot be read: ${messageOf(cause)}`);
  }
}

function corrupt(path: string, why: string) {
  return bundleTrustErrors.error("BUNDLE_SITE_CORRUPT", why, { path });
}
