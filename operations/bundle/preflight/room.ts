import { existsSync, lstatSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../../shared/finding.ts";
import { sizeText } from "../../../shared/size-text.ts";
import { bundledFile } from "../format/file.ts";
import type { Manifest } from "../format/manifest.ts";
import type { Bundle } from "../format/read.ts";
import { siteErrors } from "../install/errors.ts";
import { candidatesOf } from "../install/link.ts";
import { keptManifest, versionsOf } from "../install/place.ts";
import type { Plan } from "../install/plan.ts";
import { type Site, stagedDir, versionDir } from "../install/site.ts";
import { modeOf, storedFiles } from "../install/stage.ts";
import { runtimeModeOf } from "../install/stage-runtime.ts";
import { parseRuntime, type Runtime, TOOLKIT } from "../toolkit/layout.ts";
import { toolkitPath } from "../toolkit/toolkit-file.ts";
import { sizeOf } from "../upgrade/cold-copy.ts";

/** Bytes that a run adds to a site's disk at most. */
export interface Room {
  /** Files of the version. */
  readonly files: number;
  /** The cold copy of the state. */
  readonly copy: number;
}

/** A file that a version will have, and under which names it may lie somewhere already. */
export interface WantedFile {
  readonly digest: string;
  readonly bytes: number;
  readonly mode: number;
  readonly paths: readonly string[];
}

const BLOCK = 4096;
/** Journal, folders, locks, the manifest and its signatures. */
const LITTLE = 1_048_576;

/**
 * The layers that the toolkit's runtime is taken from; none of a bundle without a toolkit.
 * @throws TOOLKIT_MALFORMED, and what reading a file of the bundle throws
 */
export async function runtimeIn(bundle: Bundle, signal: AbortSignal): Promise<Runtime["layers"]> {
  const path = toolkitPath(TOOLKIT.runtime);
  if (bundle.manifest.files.every((file) => file.path !== path)) return [];
  return parseRuntime(await bundledFile(bundle, path, signal)).layers;
}

/** Every file of a version: those of the manifest, and those of its toolkit's runtime. */
export function wantedFiles(
  manifest: Pick<Manifest, "files" | "blobs">,
  runtime: Runtime["layers"],
): readonly WantedFile[] {
  const takes = runtime.flatMap(({ take }) => take);
  return [
    ...storedFiles(manifest).map(({ executable, ...stored }) => ({ ...stored, mode: modeOf(executable) })),
    ...takes.map(({ to, digest, bytes, executable }) => ({
      ...{ digest, bytes, mode: runtimeModeOf(executable) },
      paths: [toolkitPath(to)],
    })),
  ];
}

/** What files take, in whole blocks, where those that lie there already are linked. */
export function roomForFiles(files: readonly WantedFile[], isThere: (file: WantedFile) => boolean): number {
  return files
    .filter((file) => !isThere(file))
    .reduce((sum, { bytes }) => sum + Math.ceil(bytes / BLOCK) * BLOCK, LITTLE);
}

/** What a plan needs of a site's disk. */
export function roomFor(
  { steps, from, target }: Plan,
  site: Site,
  manifest: Manifest,
  runtime: Runtime["layers"],
  ownToolkit: string | undefined,
): Room {
  const copies = steps.includes("backup") && from !== undefined && existsSync(site.stateDir);
  const present = new Set(versionsOf(site).flatMap((version) => namesOf(filesOf(site, version))));
  const device = deviceAbove(site.stagingDir);
  const places = { others: [stagedDir(site, target.version)], ownToolkit };
  const isThere = (file: WantedFile): boolean =>
    namesOf([file]).some((name) => present.has(name)) ||
    file.paths.some((path) => candidatesOf(places, path).some((place) => isLike(place, file, device)));
  return {
    files: steps.includes("stage") ? roomForFiles(wantedFiles(manifest, runtime), isThere) : 0,
    copy: copies ? sizeOf(site.stateDir).bytes : 0,
  };
}

function namesOf(files: readonly WantedFile[]): readonly string[] {
  return files.map(({ digest, mode }) => `${digest} ${mode}`);
}

/** None where what lies there cannot be read any more. */
function filesOf(site: Site, version: number): readonly WantedFile[] {
  try {
    const list = join(versionDir(site, version), toolkitPath(TOOLKIT.runtime));
    return wantedFiles(keptManifest(site, version), existsSync(list) ? parseRuntime(readFileSync(list)).layers : []);
  } catch {
    return [];
  }
}

/** Whether an install would try to link it; what its bytes are is asked then. */
function isLike(path: string, { bytes, mode }: WantedFile, device: number | undefined): boolean {
  const stats = look(path);
  if (stats === undefined || !stats.isFile() || stats.dev !== device || stats.uid !== process.geteuid?.()) return false;
  return stats.size === bytes && (stats.mode & 0o777) === mode;
}

/** Of what is not there yet, that of the nearest folder above it. */
function deviceAbove(path: string): number | undefined {
  return look(path)?.dev ?? (path === join(path, "..") ? undefined : deviceAbove(join(path, "..")));
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** @param freeBytes undefined where nobody knows */
export function judgeRoom({ files, copy }: Room, freeBytes: number | undefined, folder: string): readonly Finding[] {
  if (freeBytes === undefined || freeBytes >= files + copy) return [];
  const parts = `${sizeText(files)} for the version and ${sizeText(copy)} for the cold copy of the state`;
  const message = `the file system of "${folder}" has ${freeBytes} bytes free, and it takes ${files + copy}: ${parts}`;
  return [{ code: "BUNDLE_NO_ROOM", path: folder, message, fix: siteErrors.entries.BUNDLE_NO_ROOM.fix }];
}
