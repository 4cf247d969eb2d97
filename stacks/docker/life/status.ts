import { z } from "zod";
import type { Component } from "../../../model/component.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { hostErrors } from "../../host/errors.ts";
import { layoutOf } from "../../host/layout.ts";
import { statusOf } from "../../host/readiness.ts";
import { readState } from "../../host/state.ts";
import { hostSocket } from "../mounts.ts";
import { driftOf } from "./drift.ts";
import { type Condition, isWell, type Observed, observe } from "./health.ts";
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

/** Custody, as it says itself, and what the deployment accepts. */
export interface CustodyStatus {
  /** null where custody does not answer. */
  readonly sealed: boolean | null;
  /** What protects the keys; null while it is sealed or away. */
  readonly custodyClass: string | null;
  /** Such as `pkcs11`. */
  readonly kind: Deployment["custody"]["kind"];
  /** Why `software` is good enough, in the operator's words; null where nobody had to say. */
  readonly acceptSoftware: string | null;
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
  /** Components that somebody else runs. @default none */
  readonly elsewhere?: readonly string[];
  /** What differs from the rendered objects beyond a single component, in a cluster. @default nothing was looked at */
  readonly drift?: readonly string[];
  readonly custody: CustodyStatus;
}

/**
 * How every container of the deployment is, and what was changed by hand.
 * @throws NOT_DEPLOYED, DOCKER_UNREACHABLE
 */
export async function statusDocker(options: DockerOptions): Promise<StatusReport> {
  const { deployment, docker } = options;
  assertDeployed(options);
  const rendered = renderDocker(options);
  const { layout, model } = rendered;
  const seen = await observe({ docker, layout }, model.components);
  const components = model.components.map((component) => stateOf(component, rendered, seen.get(component.name)));
  return {
    schema: "trustkern.status/1",
    deployment: deployment.name,
    tenant: deployment.tenant,
    profile: deployment.profile,
    ok: components.every(({ condition, drift }) => isWell(condition) && drift.length === 0),
    components,
    absent: deployment.images.grafana === "absent" ? ["grafana"] : [],
    custody: await custodyStatus(deployment, hostSocket(layout, "custody", "control")),
  };
}

const answered = z.object({ sealed: z.boolean(), store: z.object({ custodyClass: z.string() }).optional() });

/**
 * Asks custody itself.
 * @param socket its control socket
 */
export async function custodyStatus({ custody }: Pick<Deployment, "custody">, socket: string): Promise<CustodyStatus> {
  const said = answered.safeParse(await statusOf(socket).catch(() => undefined)).data;
  return {
    sealed: said?.sealed ?? null,
    custodyClass: said?.store?.custodyClass ?? null,
    kind: custody.kind,
    acceptSoftware: custody.acceptSoftware ?? null,
  };
}

/** @throws NOT_DEPLOYED where no deploy ever began, STATE_CORRUPT */
export function assertDeployed({ deployment, dir, temporaryDir }: DockerOptions): void {
  const { dir: root, stateFile } = layoutOf(dir, temporaryDir);
  if (readState(stateFile, deployment.tenant, "docker") !== undefined) return;
  throw hostErrors.error("NOT_DEPLOYED", `there is no deployment in "${root}"`, {
    path: root,
    fix: "bring it up with trustkern deploy, or name its state directory with --dir",
  });
}

function stateOf(component: Component, { plan }: Rendered, seen: Observed | undefined): ComponentState {
  const { name, zone } = component;
  const container = seen?.container;
  return {
    name,
    zone,
    condition: seen?.condition ?? "missing",
    image: plan.containers.find((one) => one.name === name)?.pin.reference ?? "",
    startedAt: container?.State.Running === true ? container.State.StartedAt : null,
    restarts: container?.RestartCount ?? 0,
    drift: container === undefined ? [] : driftOf(name, plan, container),
  };
}
