import type { Component } from "../../../model/component.ts";
import { hostErrors } from "../../host/errors.ts";
import { readState } from "../../host/state.ts";
import type { ContainerSpec } from "../containers.ts";
import { type Condition, conditionOf, isWell } from "./health.ts";
import { type Inspected, inspectContainers } from "./inspect.ts";
import type { DockerOptions } from "./options.ts";
import { type Rendered, renderDocker } from "./render.ts";

/** One component, as it runs. */
export interface ComponentState {
  readonly name: string;
  readonly zone: string;
  readonly condition: Condition;
  /** Reference of its image. */
  readonly image: string;
  /** RFC 3339, or null where no container runs. */
  readonly startedAt: string | null;
  /** Times that Docker started it again. */
  readonly restarts: number;
  /** What differs from the rendered stack, in the words of the model. */
  readonly drift: readonly string[];
}

/** A deployment, as it runs. */
export interface StatusReport {
  readonly schema: "trustkern.status/1";
  readonly deployment: string;
  readonly tenant: string;
  readonly profile: string;
  readonly ok: boolean;
  readonly components: readonly ComponentState[];
  /** Components that the deployment leaves out on purpose. */
  readonly absent: readonly string[];
}

/**
 * How every container of the deployment is, and what was changed by hand.
 * @throws NOT_DEPLOYED, DOCKER_UNREACHABLE
 */
export async function statusDocker(options: DockerOptions): Promise<StatusReport> {
  const { deployment, docker } = options;
  const rendered = renderDocker(options);
  if (readState(rendered.layout.stateFile, deployment.tenant, "docker") === undefined) {
    throw hostErrors.error("NOT_DEPLOYED", `there is no deployment in "${rendered.layout.dir}"`, {
      path: rendered.layout.dir,
      fix: "bring it up with trustkern deploy, or name its state directory with --dir",
    });
  }
  const found = await inspectContainers(
    docker,
    rendered.model.components.map(({ name }) => name),
  );
  const components = rendered.model.components.map((component) => stateOf(component, rendered, found));
  return {
    schema: "trustkern.status/1",
    deployment: deployment.name,
    tenant: deployment.tenant,
    profile: deployment.profile,
    ok: components.every(({ condition, drift }) => isWell(condition) && drift.length === 0),
    components,
    absent: deployment.images.grafana === "absent" ? ["grafana"] : [],
  };
}

function stateOf(component: Component, { plan }: Rendered, found: ReadonlyMap<string, Inspected>): ComponentState {
  const spec = plan.containers.find(({ name }) => name === component.name);
  if (spec === undefined) throw new TypeError(`${component.name} has no container in the plan`);
  const container = found.get(component.name);
  return {
    name: component.name,
    zone: component.zone,
    condition: conditionOf(component, container),
    image: spec.pin.reference,
    startedAt: container?.State.Running === true ? container.State.StartedAt : null,
    restarts: container?.RestartCount ?? 0,
    drift:
      container === undefined ? [] : driftOf(spec, plan.source === "packages" ? spec.pin.digest : undefined, container),
  };
}

/**
 * What a running container has that the stack does not say, and the other way round.
 * @param imageId the image that it must run, where the lock knows its ID on this machine
 */
export function driftOf(
  spec: ContainerSpec,
  imageId: string | undefined,
  { Image, Config, HostConfig, NetworkSettings }: Inspected,
): readonly string[] {
  const wanted = portsOf(spec);
  const ports = Object.entries(HostConfig.PortBindings ?? {}).flatMap(([inside, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} to ${inside}`),
  );
  const facts: readonly (readonly [what: string, expected: unknown, actual: unknown])[] = [
    ["published ports", wanted.join(", ") || "none", ports.sort().join(", ") || "none"],
    ["user", spec.user, Config.User],
    ["read-only root", spec.readOnlyRoot, HostConfig.ReadonlyRootfs],
    ["privileged", false, HostConfig.Privileged],
    ["memory limit in MiB", spec.memoryMiB, HostConfig.Memory / 1_048_576],
    ["process limit", spec.pids, HostConfig.PidsLimit ?? "none"],
    ["networks", spec.networks.length, Object.keys(NetworkSettings.Networks).filter((name) => name !== "none").length],
    ["configuration", spec.labels["trustkern.config"], Config.Labels?.["trustkern.config"] ?? "none"],
    ["image", imageId ?? Image, Image],
  ];
  return facts
    .filter(([, expected, actual]) => expected !== actual)
    .map(([what, expected, actual]) => `${what}: ${short(actual)} instead of ${short(expected)}`);
}

function portsOf({ ports }: ContainerSpec): readonly string[] {
  return ports
    .map(({ address, external, internal, protocol }) => `${address}:${external} to ${internal}/${protocol}`)
    .sort();
}

function short(value: unknown): string {
  const text = String(value);
  return /^(sha256:)?[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 19)}…` : text;
}
