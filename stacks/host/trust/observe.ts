import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { type DockerCli, dockerErrors, dockerOutput } from "../docker-cli.ts";
import type { ContainerFacts } from "./manifest.ts";

const texts = z.array(z.string()).nullish();
const record = z.record(z.string(), z.string()).nullish();
const binding = z.object({ HostIp: z.string(), HostPort: z.string() });

const containerSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  Config: z.object({
    User: z.string(),
    Env: texts,
    Entrypoint: texts,
    Cmd: texts,
    WorkingDir: z.string().nullish(),
    Healthcheck: z.object({ Test: texts }).nullish(),
    Labels: record,
  }),
  HostConfig: z.object({
    Privileged: z.boolean(),
    ReadonlyRootfs: z.boolean(),
    CapAdd: texts,
    CapDrop: texts,
    SecurityOpt: texts,
    GroupAdd: texts,
    Devices: z.array(z.object({ PathOnHost: z.string(), CgroupPermissions: z.string() })).nullish(),
    DeviceCgroupRules: texts,
    PidMode: z.string().nullish(),
    IpcMode: z.string().nullish(),
    UsernsMode: z.string().nullish(),
    Runtime: z.string().nullish(),
    Ulimits: z.array(z.object({ Name: z.string(), Soft: z.number(), Hard: z.number() })).nullish(),
    Memory: z.number().nullish(),
    MemorySwap: z.number().nullish(),
    NetworkMode: z.string(),
    ExtraHosts: texts,
    Dns: texts,
    Tmpfs: record,
    PortBindings: z.record(z.string(), z.array(binding).nullable()).nullish(),
  }),
  Mounts: z.array(
    z.object({ Type: z.string(), Source: z.string().nullish(), Destination: z.string(), RW: z.boolean() }),
  ),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
});

/** A container of this host, as far as the chain of trust looks at it. */
export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Paths of the host that it sees. */
  readonly sources: readonly string[];
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
  return z.array(containerSchema).parse(JSON.parse(stdout)).map(observed);
}

/** SHA-256 of a file in lower-case hex, or `missing`. */
export function digestOfFile(path: string): string {
  return existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : "missing";
}

function observed(container: z.infer<typeof containerSchema>): ObservedContainer {
  const { Id, Name, Config, HostConfig, Mounts, NetworkSettings } = container;
  const modes = [HostConfig.NetworkMode, HostConfig.PidMode, HostConfig.IpcMode];
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    labels: Config.Labels ?? {},
    sources: Mounts.flatMap(({ Source }) => Source || []),
    networks: joined(NetworkSettings.Networks),
    sharesWith: modes.flatMap((mode) => (mode?.startsWith("container:") ? mode.slice("container:".length) : [])),
    facts: factsOf(container),
  };
}

function factsOf({
  Image,
  Config,
  HostConfig,
  Mounts,
  NetworkSettings,
}: z.infer<typeof containerSchema>): ContainerFacts {
  const named = (name: string, value: string | null | undefined): readonly string[] =>
    value ? [`${name}=${value}`] : [];
  const all = (name: string, values: readonly string[] | null | undefined): readonly string[] =>
    (values ?? []).map((value) => `${name}=${value}`);
  return {
    image: [Image],
    command: [
      ...all("entrypoint", Config.Entrypoint),
      ...all("argument", Config.Cmd),
      ...named("folder", Config.WorkingDir),
      ...all("health", Config.Healthcheck?.Test),
    ],
    environment: (Config.Env ?? []).toSorted(),
    user: [Config.User],
    rights: [
      `privileged=${HostConfig.Privileged}`,
      `read-only root=${HostConfig.ReadonlyRootfs}`,
      ...all("added", HostConfig.CapAdd?.toSorted()),
      ...all("dropped", HostConfig.CapDrop?.toSorted()),
      ...all("security", HostConfig.SecurityOpt?.toSorted()),
      ...all("group", HostConfig.GroupAdd?.toSorted()),
      ...named("pid", HostConfig.PidMode),
      ...named("ipc", HostConfig.IpcMode),
      ...named("user namespace", HostConfig.UsernsMode),
      ...named("runtime", HostConfig.Runtime),
      ...all("limit", HostConfig.Ulimits?.map(({ Name, Soft, Hard }) => `${Name} ${Soft} ${Hard}`).toSorted()),
      // Equal, where nothing goes to swap.
      `bytes with swap=${HostConfig.MemorySwap ?? 0} of ${HostConfig.Memory ?? 0}`,
    ],
    devices: [
      ...(HostConfig.Devices ?? []).map((each) => `${each.PathOnHost} (${each.CgroupPermissions})`),
      ...(HostConfig.DeviceCgroupRules ?? []),
    ].toSorted(),
    mounts: [
      ...Mounts.filter(({ Type }) => Type !== "tmpfs").map(
        ({ Source, Destination, RW }) => `${Source ?? ""} at ${Destination}${RW ? "" : " (read-only)"}`,
      ),
      ...Object.entries(HostConfig.Tmpfs ?? {}).map(([path, options]) => `memory at ${path} (${options})`),
    ].toSorted(),
    ports: Object.entries(HostConfig.PortBindings ?? {})
      .flatMap(([inside, bindings]) =>
        (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} to ${inside}`),
      )
      .toSorted(),
    networks: [
      `mode=${HostConfig.NetworkMode}`,
      ...joined(NetworkSettings.Networks),
      ...all("host", HostConfig.ExtraHosts?.toSorted()),
      ...all("dns", HostConfig.Dns?.toSorted()),
    ],
  };
}

function joined(networks: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(networks)
    .filter((name) => name !== "none")
    .toSorted();
}
