import type { V1Container, V1Probe } from "@kubernetes/client-node";
import type { Component } from "../../model/component.ts";
import { NODE, PROBE } from "../../modules/common.ts";
import { grantsOf } from "../docker/grants.ts";
import { byDigest, type ImagePins } from "../docker/images.ts";
import { HEALTH } from "../docker/runtime.ts";
import { kubernetesStackErrors } from "./errors.ts";
import { cores, mebibytes } from "./quantities.ts";
import { containerSecurity } from "./security.ts";
import type { Mounted } from "./volumes.ts";

/** Of the node's disk: the log that the runtime keeps, and nothing of the container's own. */
const DISK = "128Mi";

/** Share of its processors that a component uses on most days; the rest is lent to it where the node has some to spare. */
const BUSY_SHARE = 0.1;

/**
 * The container of a component.
 * @throws KUBERNETES_COMPONENT, KUBERNETES_IMAGE_UNPINNED
 */
export function containerOf(component: Component, images: ImagePins, { mounts }: Mounted): V1Container {
  const { name, command, environment = {}, ports, limits } = component;
  const most = {
    cpu: cores(limits.cpus),
    memory: mebibytes(limits.memoryMiB),
    "ephemeral-storage": DISK,
  };
  const variables = Object.entries(environment);
  return {
    name,
    ...imageOf(component, images),
    ...(command === undefined ? {} : { command: command.map(literal) }),
    ...(variables.length === 0 ? {} : { env: variables.map(([key, value]) => ({ name: key, value: literal(value) })) }),
    ...(ports.length === 0
      ? {}
      : {
          ports: ports.map((port) => ({
            ...{ name: port.name, containerPort: port.port, protocol: port.protocol.toUpperCase() },
          })),
        }),
    // Memory that was promised is there; processors are shared out, since components are busy in turn and not at once.
    resources: { requests: { ...most, cpu: cores(limits.cpus * BUSY_SHARE) }, limits: most },
    securityContext: containerSecurity(component),
    ...probesOf(component),
    volumeMounts: [...mounts],
    terminationMessagePolicy: "File",
  };
}

/** Kubernetes would put variables in place of `$(NAME)`; `$$` is the character (Kubernetes API, Container.command). */
function literal(text: string): string {
  return text.split("$").join("$$");
}

function imageOf(
  { name, image }: Component,
  { source, images }: ImagePins,
): Pick<V1Container, "image" | "imagePullPolicy"> {
  const pin = image === undefined ? undefined : images[image];
  if (pin === undefined) {
    const message = `component "${name}" has no image "${image ?? ""}"`;
    throw kubernetesStackErrors.error("KUBERNETES_COMPONENT", message, { path: `components.${name}.image` });
  }
  const { reference, digest } = pin;
  // An image of a machine has no digest that a node knows: whoever loads it there has held it to the lock.
  if (source !== "registry") return { image: reference, imagePullPolicy: "Never" };
  if (digest === undefined) {
    const open = Object.values(images).filter((each) => each.digest === undefined);
    const message = `images without a digest: ${open.map((each) => each.reference).join(", ")}`;
    throw kubernetesStackErrors.error("KUBERNETES_IMAGE_UNPINNED", message, { path: "images.lock.yaml" });
  }
  return { image: byDigest({ reference, digest }), imagePullPolicy: "IfNotPresent" };
}

/**
 * Whether it is ready is asked all the time, and decides who sends to it. Only what waits for nobody is ended when it does not
 * start in time, and nothing for being ill: to start a sealed custody or a database at its log anew would make it worse.
 */
function probesOf(component: Component): Pick<V1Container, "readinessProbe" | "startupProbe"> {
  const { health } = component;
  const asked = askedOf(component);
  if (health.kind === "exit" || asked === undefined) return {};
  const probe: V1Probe = {
    ...asked,
    periodSeconds: HEALTH.intervalSeconds,
    timeoutSeconds: HEALTH.timeoutSeconds,
    failureThreshold: HEALTH.retries,
  };
  if (health.mayWait === true) return { readinessProbe: probe };
  const failureThreshold = Math.ceil(health.startupSeconds / HEALTH.intervalSeconds);
  return { startupProbe: { ...probe, failureThreshold }, readinessProbe: probe };
}

/** What is asked: the component's own health, or where its image has nothing that could ask, whether its port is open. */
function askedOf(component: Component): Pick<V1Probe, "exec" | "tcpSocket"> | undefined {
  const { health, ports, sockets } = component;
  if (grantsOf(component).has("health:none")) {
    const open = ports.find(({ protocol }) => protocol === "tcp");
    return open === undefined ? undefined : { tcpSocket: { port: open.port } };
  }
  if (health.kind === "exit") return undefined;
  if (health.kind === "command") return { exec: { command: health.command.map(literal) } };
  const paths = sockets.filter(({ name }) => name === health.socket).map(({ path }) => path);
  return { exec: { command: [NODE, PROBE, ...paths] } };
}
