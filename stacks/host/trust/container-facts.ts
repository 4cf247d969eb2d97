import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";
import type { ContainerFacts } from "./manifest.ts";

const texts = z.array(z.string()).nullish();
const record = z.record(z.string(), z.string()).nullish();
const binding = z.object({ HostIp: z.string(), HostPort: z.string() });

/** A container as `docker inspect` shows it, as far as it is looked at. */
export const containerSchema = z.object({
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
    UTSMode: z.string().nullish(),
    CgroupnsMode: z.string().nullish(),
    MaskedPaths: texts,
    ReadonlyPaths: texts,
    Sysctls: record,
    DeviceRequests: z.array(z.looseObject({ Driver: z.string().nullish() })).nullish(),
    PublishAllPorts: z.boolean().nullish(),
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
    z.object({
      Type: z.string(),
      Name: z.string().nullish(),
      Source: z.string().nullish(),
      Destination: z.string(),
      RW: z.boolean(),
    }),
  ),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
});

/** {@link containerSchema} */
export type InspectedContainer = z.infer<typeof containerSchema>;

/** What Docker masks of /proc and /sys in every container, and what nobody may write there: of all its versions the same. */
const MASKED = [
  ...["asound", "acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi"].map(
    (name) => `/proc/${name}`,
  ),
  "/sys/firmware",
];
const READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);

/** Fact of a container whose ports the host publishes all, those too that only its image names. */
export const EVERY_PORT = "every port of its image";

/** What is compared of a container. */
export function factsOf({ Image, Config, HostConfig, Mounts, NetworkSettings }: InspectedContainer): ContainerFacts {
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
      ...unlikeEveryContainer(HostConfig),
      ...all("limit", HostConfig.Ulimits?.map(({ Name, Soft, Hard }) => `${Name} ${Soft} ${Hard}`).toSorted()),
      // Equal, where nothing goes to swap.
      `bytes with swap=${HostConfig.MemorySwap ?? 0} of ${HostConfig.Memory ?? 0}`,
    ],
    devices: [
      ...(HostConfig.Devices ?? []).map((each) => `${each.PathOnHost} (${each.CgroupPermissions})`),
      ...(HostConfig.DeviceCgroupRules ?? []),
      ...(HostConfig.DeviceRequests ?? []).map((request) => `request ${stableJson(request)}`),
    ].toSorted(),
    mounts: [
      ...Mounts.filter(({ Type }) => Type !== "tmpfs").map(
        ({ Source, Destination, RW }) => `${Source ?? ""} at ${Destination}${RW ? "" : " (read-only)"}`,
      ),
      ...Object.entries(HostConfig.Tmpfs ?? {}).map(([path, options]) => `memory at ${path} (${options})`),
    ].toSorted(),
    ports: [
      ...Object.entries(HostConfig.PortBindings ?? {})
        .flatMap(([inside, bindings]) =>
          (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} to ${inside}`),
        )
        .toSorted(),
      ...(HostConfig.PublishAllPorts === true ? [EVERY_PORT] : []),
    ],
    networks: [
      `mode=${HostConfig.NetworkMode}`,
      ...joined(NetworkSettings.Networks),
      ...all("host", HostConfig.ExtraHosts?.toSorted()),
      ...all("dns", HostConfig.Dns?.toSorted()),
    ],
  };
}

/**
 * What Docker gives every container and this one has not, or has otherwise. Nothing for one that is like others, so that a manifest
 * which was signed before this was looked at is still what runs.
 */
function unlikeEveryContainer(host: InspectedContainer["HostConfig"]): readonly string[] {
  const { MaskedPaths, ReadonlyPaths, UTSMode, CgroupnsMode, Sysctls } = host;
  const missing = (name: string, wanted: readonly string[], has: readonly string[] | null | undefined) =>
    has === undefined ? [] : wanted.filter((path) => has?.includes(path) !== true).map((path) => `${name}=${path}`);
  return [
    ...missing("unmasked", MASKED, MaskedPaths),
    ...missing("writable", READ_ONLY, ReadonlyPaths),
    ...(UTSMode ? [`uts=${UTSMode}`] : []),
    ...(CgroupnsMode === "host" ? ["cgroup namespace=host"] : []),
    ...Object.entries(Sysctls ?? {})
      .map(([name, value]) => `sysctl=${name} ${value}`)
      .toSorted(),
  ];
}

/** The networks that it is in. */
export function joined(networks: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(networks)
    .filter((name) => name !== "none")
    .toSorted();
}
