import type { ContainerSpec } from "../../../../stacks/docker/containers.ts";
import type { ImageFacts } from "../observation.ts";

// Each as `stacks/host/trust/observe.ts` writes what Docker shows.

/** Files, folders and memory that a container is to see. */
export function expectedMounts({ mounts, tmpfs }: ContainerSpec): readonly string[] {
  return [
    ...mounts.map(({ source, target, readOnly }) => `${source} at ${target}${readOnly ? " (read-only)" : ""}`),
    ...Object.entries(tmpfs).map(([path, options]) => `memory at ${path} (${options})`),
  ];
}

/** The image's environment, with the component's over it. */
export function expectedEnvironment({ environment }: ContainerSpec, image: ImageFacts): readonly string[] {
  const named = (variable: string) => [variable.split("=")[0], variable] as const;
  return [...new Map([...image.environment, ...environment].map(named)).values()].toSorted();
}

/** What it runs: the component's command, and the image's where that says nothing. */
export function expectedCommand({ entrypoint, health }: ContainerSpec, image: ImageFacts): readonly string[] {
  const all = (name: string, words: readonly string[]) => words.map((word) => `${name}=${word}`);
  return [
    ...all("entrypoint", entrypoint ?? image.entrypoint),
    ...(entrypoint === undefined ? all("argument", image.command) : []),
    ...(image.folder === "" ? [] : [`folder=${image.folder}`]),
    ...all("health", health?.test ?? ["NONE"]),
  ];
}

/** What the host grants it. */
export function expectedRights({ readOnlyRoot, addedCapabilities, memoryMiB }: ContainerSpec): readonly string[] {
  const bytes = memoryMiB * 1_048_576;
  return [
    "privileged=false",
    `read-only root=${readOnlyRoot}`,
    ...addedCapabilities.map((capability) => `added=${capability}`),
    "dropped=ALL",
    "security=no-new-privileges:true",
    "ipc=private",
    "limit=core 0 0",
    `bytes with swap=${bytes} of ${bytes}`,
  ];
}
