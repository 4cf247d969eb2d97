import { stringify } from "yaml";
import type { ContainerSpec } from "./containers.ts";
import { byDigest } from "./images.ts";
import { bridgeOptions, type NetworkSpec } from "./networks.ts";
import { type DockerPlan, networkLabels } from "./plan.ts";
import { HEALTH, RESOLVER, STOP_SECONDS } from "./runtime.ts";

/** A file of the Compose Specification. */
export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, object>>;
  readonly networks: Readonly<Record<string, object>>;
}

/** The networks and containers of a plan for Docker Compose: what the Terraform JSON of the same plan says, and the limits of process ids. */
export function composeFile(plan: DockerPlan): ComposeFile {
  return {
    name: `tk-${plan.deployment.name}`,
    services: Object.fromEntries(plan.containers.map((container) => [container.name, serviceOf(plan, container)])),
    networks: Object.fromEntries(plan.networks.map((network) => [network.id, networkOf(plan, network)])),
  };
}

/** The file as YAML. Compose would take `$NAME` for a variable of whoever starts it: `$$` stands for the character. */
export function composeYaml(plan: DockerPlan): string {
  const { name } = plan.deployment;
  const head = [
    `The deployment "${name}" for Docker Compose, as trustkern export compose wrote it.`,
    "Mounted files, secrets and folders are made by trustkern deploy, on the host where this runs.",
  ];
  const literal = JSON.parse(JSON.stringify(composeFile(plan)).replaceAll("$", "$$$$"));
  return `${head.map((line) => `# ${line}\n`).join("")}${stringify(literal, { lineWidth: 0 })}`;
}

function networkOf(plan: DockerPlan, network: NetworkSpec): object {
  const { name, internal, subnet } = network;
  return {
    name,
    driver: "bridge",
    internal,
    driver_opts: bridgeOptions(network, plan.labels),
    ipam: { config: [{ subnet: subnet.cidr, gateway: subnet.gateway }] },
    labels: networkLabels(plan, network),
  };
}

function serviceOf(plan: DockerPlan, spec: ContainerSpec): object {
  const { name, log, memoryMiB, networks } = spec;
  const tmpfs = Object.entries(spec.tmpfs).map(([path, options]) => `${path}:${options}`);
  const networked = networks.length > 0;
  return {
    container_name: name,
    hostname: name,
    ...imageOf(plan, spec),
    entrypoint: spec.entrypoint,
    environment: some(spec.environment),
    user: spec.user,
    read_only: spec.readOnlyRoot,
    cap_drop: ["ALL"],
    cap_add: some(spec.addedCapabilities),
    devices: some(spec.devices.map((path) => `${path}:${path}:rw`)),
    security_opt: ["no-new-privileges:true"],
    ipc: "private",
    cgroup: "private",
    mem_limit: `${memoryMiB}m`,
    memswap_limit: `${memoryMiB}m`,
    cpus: spec.cpus,
    pids_limit: spec.pids,
    ulimits: { core: { soft: 0, hard: 0 } },
    restart: spec.job ? "no" : "unless-stopped",
    stop_grace_period: `${STOP_SECONDS}s`,
    healthcheck: healthcheckOf(spec.health),
    logging: { driver: log.driver, options: log.options },
    tmpfs: some(tmpfs.toSorted()),
    volumes: spec.mounts.map(({ source, target, readOnly }) => ({
      ...{ type: "bind", source, target, read_only: readOnly },
      // A folder that Docker makes where one is missing would be root's and empty.
      bind: { create_host_path: false },
    })),
    ...(networked ? { dns: [RESOLVER.nobody], dns_opt: RESOLVER.options } : { network_mode: "none" }),
    networks: networked ? Object.fromEntries(networks.map(membershipOf)) : undefined,
    ports: some(
      spec.ports.map(({ internal, external, protocol, address }) => ({
        ...{ target: internal, published: String(external), protocol, host_ip: address },
      })),
    ),
    labels: spec.labels,
  };
}

function membershipOf({ id, address, aliases }: ContainerSpec["networks"][number]): readonly [string, object] {
  return [id, { ipv4_address: address, aliases: some(aliases) }];
}

/** A list that is not empty, or nothing, which neither JSON nor YAML writes. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Only what has a name in a registry can be pulled: an image of this machine is its ID. */
function imageOf({ source }: DockerPlan, { pin: { reference, digest } }: ContainerSpec): object {
  if (source !== "registry") return { image: digest ?? reference, pull_policy: "never" };
  return { image: digest === undefined ? reference : byDigest({ reference, digest }) };
}

function healthcheckOf(health: ContainerSpec["health"]): object {
  if (health === undefined) return { disable: true };
  return {
    test: health.test,
    interval: `${HEALTH.intervalSeconds}s`,
    timeout: `${HEALTH.timeoutSeconds}s`,
    retries: HEALTH.retries,
    start_period: `${health.startSeconds}s`,
  };
}
