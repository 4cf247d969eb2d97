import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { overlaps } from "../../../shared/paths.ts";
import { type DockerCli, dockerOutput } from "../docker-cli.ts";

/** Where the engine keeps its containers, images and volumes, unless it says otherwise. */
const ENGINE_FOLDER = "/var/lib/docker";

/** A mount, as `docker inspect` shows it. */
export interface SeenMount {
  readonly Type: string;
  readonly Name?: string | null | undefined;
  readonly Source?: string | null | undefined;
  readonly RW: boolean;
}

/** What a container reaches of its host's files and disks. */
export interface SeenOfHost {
  /** Paths of the host that it sees: as the engine names them, where links lead, and what a volume stands for. */
  readonly sources: readonly string[];
  /** Those of them that it may write to. */
  readonly writable: readonly string[];
  /** Those of them that are the engine's own, and no volume. */
  readonly ofEngine: readonly string[];
  /** Its devices that are disks, whatever they are called. */
  readonly disks: readonly string[];
}

const volumesSchema = z.array(z.object({ Name: z.string(), Options: z.record(z.string(), z.string()).nullish() }));

/** What has to be known of an engine to say what its containers see. */
export interface EngineFolders {
  /** Where it keeps its data. */
  readonly root: string;
  /** By the name of a volume: the path of the host, or the disk, that it stands for. */
  readonly volumes: ReadonlyMap<string, string>;
}

/**
 * Asks the engine where its folder is, and what these volumes stand for: one that is made with `--opt device=…` is another path
 * than `docker inspect` shows for its mounts.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function engineFolders(docker: DockerCli, volumes: readonly string[]): Promise<EngineFolders> {
  const told = (await dockerOutput(docker, ["info", "--format", "{{.DockerRootDir}}"])).trim();
  const root = told.startsWith("/") ? told : ENGINE_FOLDER;
  const names = [...new Set(volumes)];
  if (names.length === 0) return { root, volumes: new Map() };
  // One that is gone by now is none: its container is looked at by the path that the mount has.
  const { stdout } = await docker(["volume", "inspect", ...names]);
  const listed = volumesSchema.parse(JSON.parse(stdout));
  const devices = listed.flatMap(({ Name, Options }) => (Options?.device ? [[Name, Options.device] as const] : []));
  return { root, volumes: new Map(devices) };
}

/** What a container sees, by its mounts and the paths of its devices. */
export function seenOfHost(
  mounts: readonly SeenMount[],
  devices: readonly string[],
  { root, volumes }: EngineFolders,
): SeenOfHost {
  const bound = mounts.filter(({ Type }) => Type !== "tmpfs");
  const pathsOf = ({ Source, Name }: SeenMount): readonly string[] => {
    const named = [Source, volumes.get(Name ?? "")].flatMap((path) => (path?.startsWith("/") ? path : []));
    return named.flatMap((path) => [path, realPath(path)]);
  };
  const sources = unique(bound.flatMap(pathsOf));
  const own = join(root, "volumes", "/");
  return {
    sources,
    writable: unique(bound.filter(({ RW }) => RW).flatMap(pathsOf)),
    ofEngine: sources.filter((path) => overlaps(path, root) && !path.startsWith(own)),
    disks: unique([...devices, ...sources].filter(isDisk)),
  };
}

/** Where a path leads; itself where nothing is there, or this program may not look. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isDisk(path: string): boolean {
  try {
    return statSync(path).isBlockDevice();
  } catch {
    return false;
  }
}

function unique(all: readonly string[]): readonly string[] {
  return [...new Set(all)];
}
