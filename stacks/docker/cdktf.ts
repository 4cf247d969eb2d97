import { Container } from "@cdktf/provider-docker/lib/container/index.js";
import { Image } from "@cdktf/provider-docker/lib/image/index.js";
import { Network } from "@cdktf/provider-docker/lib/network/index.js";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider/index.js";
import type { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { EngineStack, jsonOf, type StackState, writeStack } from "../cdktf/stack.ts";
import type { ContainerSpec } from "./containers.ts";
import { byDigest } from "./images.ts";
import { bridgeOptions, type NetworkSpec } from "./networks.ts";
import { type DockerPlan, networkLabels } from "./plan.ts";
import { cores, goDuration, labelBlocks } from "./provider-words.ts";
import { HEALTH, RESOLVER, STOP_SECONDS } from "./runtime.ts";

export { STATE_FILE, type StackState } from "../cdktf/stack.ts";

/** The provider that the stack asks for: its address with the registry's name, and its release. */
export const DOCKER_PROVIDER = { source: "registry.terraform.io/kreuzwerker/docker", version: "4.6.0" } as const;

/** The Terraform JSON of a plan, such as `cdktf synth` writes it. */
export function synthJson(plan: DockerPlan, state: StackState): unknown {
  return jsonOf((scope) => new DockerStack(scope, plan, state));
}

/** Writes the Terraform JSON and the manifest to the folder that `cdktf synth` names, or to `cdktf.out`. */
export function writeSynth(plan: DockerPlan, state: StackState): void {
  writeStack((scope) => new DockerStack(scope, plan, state));
}

// A construct's id is unique in its stack, back end and provider included: resources have their kind before their name, and
// the name alone in the stack.
class DockerStack extends EngineStack {
  constructor(scope: Construct, plan: DockerPlan, state: StackState) {
    super(scope, plan.deployment.name, state);
    new DockerProvider(this, "docker");
    // The bindings name the release that they were made from.
    this.addOverride("terraform.required_providers.docker", DOCKER_PROVIDER);
    const images = imagesOf(plan);
    for (const network of plan.networks) addNetwork(this, plan, network);
    for (const [name, reference] of images) addImage(this, name, reference);
    for (const container of plan.containers) addContainer(this, container, images.has(container.image));
  }
}

function addNetwork(stack: TerraformStack, plan: DockerPlan, network: NetworkSpec): void {
  const { id, name, internal, subnet } = network;
  const resource = new Network(stack, `network_${id}`, {
    name,
    driver: "bridge",
    internal,
    options: bridgeOptions(network, plan.labels),
    ipamConfig: [{ subnet: subnet.cidr, gateway: subnet.gateway }],
    labels: labelBlocks(networkLabels(plan, network)),
  });
  resource.overrideLogicalId(id);
}

/** What is pulled by digest. An image of this machine is named by its ID, and one without a lock by its tag. */
function imagesOf(plan: DockerPlan): ReadonlyMap<string, string> {
  if (plan.source !== "registry") return new Map();
  const pinned = plan.containers.flatMap(({ image, pin: { reference, digest } }) =>
    digest === undefined ? [] : [[image, byDigest({ reference, digest })] as const],
  );
  return new Map(pinned);
}

function addImage(stack: TerraformStack, name: string, reference: string): void {
  const resource = new Image(stack, `image_${name}`, { name: reference, keepLocally: true });
  resource.overrideLogicalId(name);
}

function addContainer(stack: TerraformStack, spec: ContainerSpec, pulled: boolean): void {
  const { name, health, memoryMiB, pin } = spec;
  const networked = spec.networks.length > 0;
  const resource = new Container(stack, `container_${name}`, {
    name,
    hostname: name,
    image: pulled ? `\${docker_image.${spec.image}.image_id}` : (pin.digest ?? pin.reference),
    ...(spec.entrypoint === undefined ? {} : { entrypoint: [...spec.entrypoint] }),
    ...(spec.environment.length > 0 ? { env: [...spec.environment] } : {}),
    user: spec.user,
    readOnly: spec.readOnlyRoot,
    capabilities: {
      drop: ["ALL"],
      ...(spec.addedCapabilities.length > 0 ? { add: [...spec.addedCapabilities] } : {}),
    },
    ...(spec.devices.length > 0 ? { devices: spec.devices.map(deviceBlock) } : {}),
    securityOpts: ["no-new-privileges:true"],
    ipcMode: "private",
    cgroupnsMode: "private",
    memory: memoryMiB,
    // Equal: no swap, where a secret could be written to a disk.
    memorySwap: memoryMiB,
    cpus: cores(spec.cpus),
    // No core dump: it would put keys and plaintext on a disk.
    ulimit: [{ name: "core", soft: 0, hard: 0 }],
    restart: spec.job ? "no" : "unless-stopped",
    mustRun: !spec.job,
    stopTimeout: STOP_SECONDS,
    destroyGraceSeconds: STOP_SECONDS,
    healthcheck: health === undefined ? { test: ["NONE"] } : healthcheck(health),
    logDriver: spec.log.driver,
    logOpts: { ...spec.log.options },
    ...(Object.keys(spec.tmpfs).length > 0 ? { tmpfs: { ...spec.tmpfs } } : {}),
    mounts: spec.mounts.map((mount) => ({ type: "bind", ...mount })),
    networkMode: networked ? "bridge" : "none",
    ...(networked ? { dns: [RESOLVER.nobody], dnsOpts: [...RESOLVER.options] } : {}),
    // By id, so that a network that is made anew makes its members anew.
    networksAdvanced: spec.networks.map(({ id, address, aliases }) => ({
      name: `\${docker_network.${id}.id}`,
      ipv4Address: address,
      ...(aliases.length > 0 ? { aliases: [...aliases] } : {}),
    })),
    ports: spec.ports.map(({ address, ...port }) => ({ ip: address, ...port })),
    labels: labelBlocks(spec.labels),
  });
  resource.overrideLogicalId(name);
}

/** Read and write, and no `mknod`. */
function deviceBlock(path: string) {
  return { hostPath: path, containerPath: path, permissions: "rw" };
}

function healthcheck({ test, startSeconds }: NonNullable<ContainerSpec["health"]>) {
  return {
    test: [...test],
    interval: goDuration(HEALTH.intervalSeconds),
    timeout: goDuration(HEALTH.timeoutSeconds),
    retries: HEALTH.retries,
    startPeriod: goDuration(startSeconds),
  };
}
