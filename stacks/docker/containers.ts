import { createHash } from "node:crypto";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { serverName } from "../../model/placement.ts";
import { NODE, PROBE } from "../../modules/common.ts";
import { stableJson } from "../../shared/stable-json.ts";
import type { Layout } from "../host/layout.ts";
import { dockerStackErrors } from "./errors.ts";
import { granted, grantsOf } from "./grants.ts";
import type { ImagePin } from "./images.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { hostSocket, type MountSpec, planMounts } from "./mounts.ts";
import type { NetworkSpec } from "./networks.ts";
import type { PublishedPort } from "./ports.ts";

/** Who a container's process is on the host. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** A container, as plain data. What no component may ever have is not here to be set. */
export interface ContainerSpec {
  /** Name of the component, of the container, of its host, and of the resource in the stack. */
  readonly name: string;
  /** Name of its image in the image lock. */
  readonly image: string;
  readonly pin: ImagePin;
  readonly entrypoint: readonly string[] | undefined;
  /** `NAME=value`. */
  readonly environment: readonly string[];
  readonly user: string;
  readonly addedCapabilities: readonly string[];
  /** Paths of the host's character devices that it may read and write, each at the same path. */
  readonly devices: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly pids: number;
  /** Whether it does one job and ends. */
  readonly job: boolean;
  /** What `HEALTHCHECK` would say, or undefined for none at all, the image's included. */
  readonly health: { readonly test: readonly string[]; readonly startSeconds: number } | undefined;
  readonly log: { readonly driver: "fluentd" | "local"; readonly options: Readonly<Record<string, string>> };
  /** Folder to mount options. */
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly mounts: readonly MountSpec[];
  readonly networks: readonly { readonly id: string; readonly address: string; readonly aliases: readonly string[] }[];
  readonly ports: readonly {
    readonly internal: number;
    readonly external: number;
    readonly protocol: "tcp" | "udp";
    readonly address: string;
  }[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What the containers of one deployment have in common. */
export interface ContainerContext {
  readonly model: Model;
  readonly deployment: Deployment;
  readonly layout: Layout;
  readonly runAs: RunAs;
  readonly networks: readonly NetworkSpec[];
  readonly published: readonly PublishedPort[];
}

const ROTATION = { size: "10m", files: "3" } as const;

/**
 * The container of a component.
 * @throws DOCKER_COMPONENT when the component has no image, or is to run several times
 */
export function planContainer(
  component: Component,
  pins: Readonly<Record<string, ImagePin>>,
  context: ContainerContext,
): ContainerSpec {
  const { deployment, layout, model, networks, published, runAs } = context;
  const { image, name, limits } = component;
  const pin = image === undefined ? undefined : pins[image];
  if (image === undefined || pin === undefined || component.replicas !== 1) {
    const why = component.replicas === 1 ? `no image "${image ?? ""}"` : `${component.replicas} replicas; accepted: 1`;
    throw dockerStackErrors.error("DOCKER_COMPONENT", `component "${name}" has ${why}`, { path: `components.${name}` });
  }
  const grants = grantsOf(component);
  return {
    name,
    image,
    pin,
    entrypoint: component.command,
    environment: Object.entries(component.environment ?? {}).map(([key, value]) => `${key}=${value}`),
    user: grants.has("user:root") ? "0:0" : `${runAs.uid}:${runAs.gid}`,
    addedCapabilities: granted(component, "capability"),
    devices: granted(component, "device"),
    readOnlyRoot: !grants.has("rootfs:writable"),
    memoryMiB: limits.memoryMiB,
    cpus: limits.cpus,
    pids: limits.pids,
    job: component.health.kind === "exit",
    health: grants.has("health:none") ? undefined : healthOf(component),
    log: logOf(component, model, layout),
    tmpfs: Object.fromEntries(component.scratch.map(({ path, maxMiB }) => [path, tmpfsOptions(maxMiB, runAs)])),
    mounts: planMounts(component, model, layout),
    networks: networks.flatMap(({ id, addresses, listener }) => {
      const address = addresses[name];
      const aliases = listener === name ? [serverName(name, deployment.tenant)] : [];
      return address === undefined ? [] : [{ id, address, aliases }];
    }),
    ports: published
      .filter((entry) => entry.component === name)
      .map(({ port, external }) => ({
        internal: port.port,
        external,
        protocol: port.protocol,
        address: deployment.docker.publishAddress,
      })),
    labels: {
      ...ownerLabels(deployment, layout),
      [`${LABEL}.component`]: name,
      [`${LABEL}.zone`]: component.zone,
      // The files are mounted, so Terraform does not see them: by this label a changed one replaces the container.
      [`${LABEL}.config`]: createHash("sha256").update(stableJson(component.files)).digest("hex"),
    },
  };
}

function healthOf({ health, sockets }: Component): ContainerSpec["health"] {
  if (health.kind === "exit") return undefined;
  const command =
    health.kind === "command"
      ? health.command
      : [NODE, PROBE, ...sockets.filter(({ name }) => name === health.socket).map(({ path }) => path)];
  return { test: ["CMD", ...command], startSeconds: health.startupSeconds };
}

function logOf({ name }: Component, model: Model, layout: Layout): ContainerSpec["log"] {
  const shipped = model.flows.find(({ from, byEngine }) => from === name && byEngine === true);
  if (shipped === undefined) {
    return { driver: "local", options: { "max-size": ROTATION.size, "max-file": ROTATION.files } };
  }
  return {
    driver: "fluentd",
    options: {
      "fluentd-address": `unix://${hostSocket(layout, shipped.to, shipped.port)}`,
      // The container runs, and does not wait, while the shipper is away.
      "fluentd-async": "true",
      "fluentd-sub-second-precision": "true",
      tag: "{{.Name}}",
      // For `docker logs`, which reads from the daemon's own copy.
      "cache-max-size": ROTATION.size,
      "cache-max-file": ROTATION.files,
    },
  };
}

function tmpfsOptions(maxMiB: number, { uid, gid }: RunAs): string {
  return `rw,noexec,nosuid,nodev,size=${maxMiB}m,mode=0700,uid=${uid},gid=${gid}`;
}
