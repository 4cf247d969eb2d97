import type { ContainerSpec } from "../../stacks/docker/containers.ts";
import { byDigest } from "../../stacks/docker/images.ts";
import { STATE_LABEL } from "../../stacks/docker/labels.ts";
import { bridgeName, type NetworkSpec } from "../../stacks/docker/networks.ts";
import type { DockerPlan } from "../../stacks/docker/plan.ts";
import { HEALTH, RESOLVER, STOP_SECONDS } from "../../stacks/docker/runtime.ts";
import { type DockerCli, dockerOutput } from "../../stacks/host/docker-cli.ts";

/** The image that each container is started from, by the container's name. */
export type LoopImages = Readonly<Record<string, string>>;

/**
 * Makes the images of the loop: `docker run` has its health check asked by a shell, and there is none in these images, so that
 * each gets the check of its container beforehand.
 */
export async function makeLoopImages(docker: DockerCli, { containers, source }: DockerPlan): Promise<LoopImages> {
  const made: Record<string, string> = {};
  for (const { health, name, pin } of containers) {
    const { digest, reference } = pin;
    const image =
      digest === undefined || source !== "registry" ? (digest ?? reference) : byDigest({ reference, digest });
    made[name] = health === undefined ? image : `trustkern-bench/${name}`;
    if (health === undefined) continue;
    const [, ...command] = health.test;
    const flags = `--interval=${HEALTH.intervalSeconds}s --timeout=${HEALTH.timeoutSeconds}s --retries=${HEALTH.retries}`;
    const check = `HEALTHCHECK ${flags} --start-period=${health.startSeconds}s CMD ${JSON.stringify(command)}`;
    const id = (await dockerOutput(docker, ["create", image, "unused"])).trim();
    await dockerOutput(docker, ["commit", `--change=${check}`, id, `trustkern-bench/${name}`]);
    await dockerOutput(docker, ["rm", id]);
  }
  return made;
}

/** Starts the networks and containers of a plan as a shell script would: one `docker` command after the other. */
export async function runInLoop(docker: DockerCli, plan: DockerPlan, images: LoopImages): Promise<void> {
  const networks = new Map(plan.networks.map(({ id, name }) => [id, name]));
  for (const network of plan.networks)
    await dockerOutput(docker, ["network", "create", ...networkFlags(plan, network)]);
  for (const spec of plan.containers) {
    const joins = spec.networks.map(({ id, ...own }) => ({ network: networks.get(id) ?? id, ...own }));
    const [first = { network: "none", address: "", aliases: [] }, ...others] = joins;
    const flags = [
      ...["--network", first.network],
      ...(first.address === "" ? [] : ["--ip", first.address]),
      ...first.aliases.flatMap((alias) => ["--network-alias", alias]),
      ...containerFlags(spec, images[spec.name] ?? ""),
    ];
    // `docker run` takes one network: a container of several is joined to the others before it starts.
    if (others.length === 0) {
      await dockerOutput(docker, ["run", "--detach", ...flags]);
      continue;
    }
    await dockerOutput(docker, ["create", ...flags]);
    for (const { network, address, aliases } of others) {
      const as = aliases.flatMap((alias) => ["--alias", alias]);
      await dockerOutput(docker, ["network", "connect", "--ip", address, ...as, network, spec.name]);
    }
    await dockerOutput(docker, ["start", spec.name]);
  }
}

/** Removes the images of the loop. */
export async function removeLoopImages(docker: DockerCli, images: LoopImages): Promise<void> {
  const made = Object.entries(images).flatMap(([name, image]) => (image === `trustkern-bench/${name}` ? [image] : []));
  await docker(["image", "rm", ...made]);
}

/** Removes networks and containers again; one that is not there is no fault. */
export async function removeAll(docker: DockerCli, plan: DockerPlan): Promise<void> {
  await docker(["rm", "--force", ...plan.containers.map(({ name }) => name)]);
  await docker(["network", "rm", ...plan.networks.map(({ name }) => name)]);
}

function networkFlags({ labels }: DockerPlan, network: NetworkSpec): readonly string[] {
  const { internal, name, subnet } = network;
  const bridge = ["--opt", `com.docker.network.bridge.name=${bridgeName(network, labels[STATE_LABEL] ?? "")}`];
  const published = ["enable_icc", "enable_ip_masquerade"].flatMap((option) => [
    "--opt",
    `com.docker.network.bridge.${option}=false`,
  ]);
  const shape = [...(internal ? ["--internal"] : published), ...bridge];
  return [...shape, "--subnet", subnet.cidr, "--gateway", subnet.gateway, name];
}

function containerFlags(spec: ContainerSpec, image: string): readonly string[] {
  const { entrypoint: [program, ...args] = [], memoryMiB, name } = spec;
  const options: Readonly<Record<string, string | number | undefined>> = {
    name,
    hostname: name,
    user: spec.user,
    "cap-drop": "ALL",
    "security-opt": "no-new-privileges:true",
    ipc: "private",
    cgroupns: "private",
    memory: `${memoryMiB}m`,
    "memory-swap": `${memoryMiB}m`,
    cpus: spec.cpus,
    "pids-limit": spec.pids,
    restart: spec.job ? "no" : "unless-stopped",
    "stop-timeout": STOP_SECONDS,
    "log-driver": spec.log.driver,
    entrypoint: program,
  };
  const many: readonly (readonly [flag: string, values: readonly string[]])[] = [
    ["env", spec.environment],
    ["cap-add", spec.addedCapabilities],
    ["log-opt", Object.entries(spec.log.options).map(([key, value]) => `${key}=${value}`)],
    ["tmpfs", Object.entries(spec.tmpfs).map(([path, how]) => `${path}:${how}`)],
    ["mount", spec.mounts.map((one) => `type=bind,src=${one.source},dst=${one.target}${one.readOnly ? ",ro" : ""}`)],
    ["publish", spec.ports.map((one) => `${one.address}:${one.external}:${one.internal}/${one.protocol}`)],
    ["label", Object.entries(spec.labels).map(([key, value]) => `${key}=${value}`)],
    ["dns", spec.networks.length > 0 ? [RESOLVER.nobody] : []],
    ["dns-option", spec.networks.length > 0 ? RESOLVER.options : []],
  ];
  return [
    ...Object.entries(options).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`])),
    ...many.flatMap(([flag, values]) => values.map((value) => `--${flag}=${value}`)),
    ...(spec.readOnlyRoot ? ["--read-only"] : []),
    ...(spec.health === undefined ? ["--no-healthcheck"] : []),
    image,
    ...args,
  ];
}
