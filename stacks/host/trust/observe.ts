import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { type DockerCli, dockerErrors, dockerOutput } from "../docker-cli.ts";
import { containerSchema, factsOf, type InspectedContainer, joined } from "./container-facts.ts";
import type { ContainerFacts } from "./manifest.ts";
import { type EngineFolders, engineFolders, type SeenOfHost, seenOfHost } from "./seen-of-host.ts";

/** A container of this host, as far as the chain of trust looks at it. */
export interface ObservedContainer extends SeenOfHost {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networks: readonly string[];
  /** Ids or names of containers whose namespaces it shares. */
  readonly sharesWith: readonly string[];
  readonly facts: ContainerFacts;
}

/**
 * Every container of this host, of whatever deployment, running or not.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function observeContainers(docker: DockerCli): Promise<readonly ObservedContainer[]> {
  const ids = (await dockerOutput(docker, ["ps", "--all", "--quiet", "--no-trunc"])).split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const { stdout, stderr, code } = await docker(["container", "inspect", ...ids]);
  // One that is gone by now is not there.
  const others = stderr.split("\n").filter((line) => line.trim() !== "" && !/No such container/i.test(line));
  if (code !== 0 && others.length > 0)
    throw dockerErrors.error("DOCKER_FAILED", `docker inspect: ${others.join("; ")}`);
  const containers = z.array(containerSchema).parse(JSON.parse(stdout));
  const volumes = containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name || []));
  const folders = await engineFolders(docker, volumes);
  return containers.map((container) => observed(container, folders));
}

/** SHA-256 of a file in lower-case hex, or `missing`. */
export function digestOfFile(path: string): string {
  return existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : "missing";
}

function observed(container: InspectedContainer, folders: EngineFolders): ObservedContainer {
  const { Id, Name, Config, HostConfig, Mounts, NetworkSettings } = container;
  const modes = [HostConfig.NetworkMode, HostConfig.PidMode, HostConfig.IpcMode];
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    labels: Config.Labels ?? {},
    ...seenOfHost(
      Mounts,
      (HostConfig.Devices ?? []).map(({ PathOnHost }) => PathOnHost),
      folders,
    ),
    networks: joined(NetworkSettings.Networks),
    sharesWith: modes.flatMap((mode) => (mode?.startsWith("container:") ? mode.slice("container:".length) : [])),
    facts: factsOf(container),
  };
}
