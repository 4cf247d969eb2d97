import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SiteEngine } from "../engine/engine.ts";
import { digestOf, type Manifest, parseManifest } from "../format/manifest.ts";
import { siteErrors } from "./errors.ts";
import type { Installed } from "./history.ts";
import { MANIFEST_NAME, type Site, stagedDir, versionDir } from "./site.ts";
import { isWhole, storedFiles } from "./stage.ts";
import { isRuntimeWhole } from "./stage-runtime.ts";
import { syncFolder, writingSite } from "./writing.ts";

/**
 * Whether a version's folder is that of a manifest: every file is read, and so is the runtime of its toolkit. Several names of one file are
 * read once.
 */
export function isPlaced(site: Site, version: number, manifest: string): Promise<boolean> {
  return isThat(site, { version, manifest }, () => true);
}

/** Folders that people read, and nothing runs. */
const READ_ONLY = ["docs/", "sbom/"];

async function isThat(
  site: Site,
  { version, manifest }: Installed,
  counts: (path: string) => boolean,
): Promise<boolean> {
  const folder = versionDir(site, version);
  const file = join(folder, MANIFEST_NAME);
  if (!existsSync(file) || digestOf(readFileSync(file)) !== manifest) return false;
  for (const stored of storedFiles(keptManifest(site, version))) {
    const [first, ...others] = stored.paths.filter(counts).map((path) => join(folder, path));
    if (first === undefined) continue;
    if (!(await isWhole(first, stored))) return false;
    for (const other of others) if (!(isSameFile(first, other) || (await isWhole(other, stored)))) return false;
  }
  return isRuntimeWhole(folder);
}

function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

/**
 * Holds that what a version runs – its toolkit, its deployment – is what its bundle brought, before any of it runs or is relied on.
 * @throws BUNDLE_VERSION_DAMAGED
 */
export async function assertPlaced(site: Site, { version, manifest }: Installed, fix?: string): Promise<void> {
  const runs = (path: string): boolean => !READ_ONLY.some((folder) => path.startsWith(folder));
  if (await isThat(site, { version, manifest }, runs)) return;
  const path = versionDir(site, version);
  const what = `version ${version} in "${path}" is not what its bundle brought`;
  throw siteErrors.error("BUNDLE_VERSION_DAMAGED", what, { path, ...(fix === undefined ? {} : { fix }) });
}

/**
 * Holds that a version can be gone back to, before what runs is stopped: its files, and its images in the engine.
 * @param fix what mends it. @default the bundle of that version
 * @throws BUNDLE_VERSION_DAMAGED, DOCKER_UNREACHABLE
 */
export async function assertWhole(site: Site, engine: SiteEngine, one: Installed, fix?: string): Promise<void> {
  await assertPlaced(site, one, fix);
  const { images } = await engine.look();
  const gone = keptManifest(site, one.version).images.filter(({ config }) => !images.has(config));
  if (gone.length === 0) return;
  const lacks = gone.map(({ reference, config }) => `${reference} with ${config}`).join("; ");
  const what = `the Docker Engine does not have all images of version ${one.version} any more: ${lacks}`;
  throw siteErrors.error("BUNDLE_VERSION_DAMAGED", what, fix === undefined ? {} : { fix });
}

/**
 * Has a version that is staged take its place, at once.
 * @throws BUNDLE_SITE_UNWRITABLE
 */
export async function placeVersion(site: Site, version: number, manifest: string): Promise<void> {
  const [staged, placed] = [stagedDir(site, version), versionDir(site, version)];
  if (!existsSync(staged) && (await isPlaced(site, version, manifest))) return;
  writingSite(placed, () => {
    mkdirSync(site.versionsDir, { recursive: true, mode: 0o755 });
    const aside = join(site.stagingDir, `aside-${version}`);
    if (existsSync(placed)) {
      // Two renames: what lay there was damaged, or of a bundle that never ran.
      rmSync(aside, { recursive: true, force: true });
      renameSync(placed, aside);
    }
    renameSync(staged, placed);
    syncFolder(site.versionsDir);
    syncFolder(site.dir);
    rmSync(aside, { recursive: true, force: true });
  });
}

/** The versions that lie on a site, ascending. */
export function versionsOf({ versionsDir }: Site): readonly number[] {
  if (!existsSync(versionsDir)) return [];
  return readdirSync(versionsDir)
    .filter((name) => /^[1-9][0-9]{0,9}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * The manifest that a version on this site has kept.
 * @throws BUNDLE_MALFORMED, BUNDLE_SITE_UNWRITABLE where it is not there
 */
export function keptManifest(site: Site, version: number): Manifest {
  const file = join(versionDir(site, version), MANIFEST_NAME);
  return parseManifest(writingSite(file, () => readFileSync(file)));
}
