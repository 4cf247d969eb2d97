import type { ContainerArgs } from "@pulumi/docker";
import type { ContainerSpec } from "../docker/containers.ts";
import { cores, goDuration, labelBlocks } from "../docker/provider-words.ts";
import { HEALTH, RESOLVER, STOP_SECONDS } from "../docker/runtime.ts";
import type { Plain } from "./plain.ts";

/**
 * A container in the words of Pulumi's provider, which is Terraform's with other names. Why each value is what it is stands in
 * `stacks/docker/cdktf.ts`, and a test holds the two to each other.
 * @param pulled whether its image is a resource of the deployment
 */
export function containerInputs(spec: ContainerSpec, pulled: boolean): Plain<ContainerArgs> {
  const { name, memoryMiB, pin } = spec;
  const networked = spec.networks.length > 0;
  return {
    name,
    hostname: name,
    image: pulled ? `\${docker_image.${spec.image}.image_id}` : (pin.digest ?? pin.reference),
    ...(spec.entrypoint === undefined ? {} : { entrypoints: spec.entrypoint }),
    ...(spec.environment.length > 0 ? { envs: spec.environment } : {}),
    user: spec.user,
    readOnly: spec.readOnlyRoot,
    capabilities: { drops: ["ALL"], ...(spec.addedCapabilities.length > 0 ? { adds: spec.addedCapabilities } : {}) },
    ...(spec.devices.length > 0
      ? { devices: spec.devices.map((path) => ({ hostPath: path, containerPath: path, permissions: "rw" })) }
      : {}),
    securityOpts: ["no-new-privileges:true"],
    ipcMode: "private",
    cgroupnsMode: "private",
    memory: memoryMiB,
    memorySwap: memoryMiB,
    cpus: cores(spec.cpus),
    ulimits: [{ name: "core", soft: 0, hard: 0 }],
    restart: spec.job ? "no" : "unless-stopped",
    mustRun: !spec.job,
    stopTimeout: STOP_SECONDS,
    destroyGraceSeconds: STOP_SECONDS,
    healthcheck: healthcheckOf(spec.health),
    logDriver: spec.log.driver,
    logOpts: spec.log.options,
    ...(Object.keys(spec.tmpfs).length > 0 ? { tmpfs: spec.tmpfs } : {}),
    mounts: spec.mounts.map((mount) => ({ type: "bind", ...mount })),
    networkMode: networked ? "bridge" : "none",
    ...(networked ? { dns: [RESOLVER.nobody], dnsOpts: RESOLVER.options } : {}),
    networksAdvanced: spec.networks.map(({ id, address, aliases }) => ({
      name: `\${docker_network.${id}.id}`,
      ipv4Address: address,
      ...(aliases.length > 0 ? { aliases } : {}),
    })),
    ports: spec.ports.map(({ address, ...port }) => ({ ip: address, ...port })),
    labels: labelBlocks(spec.labels),
  };
}

function healthcheckOf(health: ContainerSpec["health"]): NonNullable<Plain<ContainerArgs>["healthcheck"]> {
  if (health === undefined) return { tests: ["NONE"] };
  return {
    tests: health.test,
    interval: goDuration(HEALTH.intervalSeconds),
    timeout: goDuration(HEALTH.timeoutSeconds),
    retries: HEALTH.retries,
    startPeriod: goDuration(health.startSeconds),
  };
}
