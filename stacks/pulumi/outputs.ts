import { join } from "node:path";
import { serverName } from "../../model/placement.ts";
import { pidsLimits } from "../docker/plan.ts";
import { publishedPorts } from "../docker/ports.ts";
import type { PlannedDocker } from "./plan-deployment.ts";

/** Where a published port is reached. */
export interface Endpoint {
  /** Address of the host; with Kubernetes the name of the Service, inside of the cluster. */
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The name that its certificate has. */
  readonly serverName: string;
}

/** A secret by reference: where it is, and never what it is. */
export interface SecretReference {
  readonly component: string;
  readonly name: string;
  /** Absolute path on the host of the docker engine. */
  readonly file?: string;
  /** Namespace of its Secret, with Kubernetes. */
  readonly namespace?: string;
  /** Name of its Secret, with Kubernetes; its key there is `name`. */
  readonly secret?: string;
}

/** The most processes that a container is to have. The provider has no attribute for it: `docker update --pids-limit` sets it. */
export interface ProcessLimit {
  readonly container: string;
  readonly pids: number;
}

/** Every published port, by component and port such as `broker.mqtts`. */
export function endpointsOf({ context: { model, deployment } }: PlannedDocker): Readonly<Record<string, Endpoint>> {
  return Object.fromEntries(
    publishedPorts(model.components, deployment).map(({ component, port, external }) => [
      `${component}.${port.name}`,
      {
        address: deployment.docker.publishAddress,
        port: external,
        protocol: port.protocol,
        serverName: serverName(component, deployment.tenant),
      },
    ]),
  );
}

/** Every secret that a component names. */
export function secretsOf({ context: { model, layout } }: PlannedDocker): readonly SecretReference[] {
  return model.components.flatMap(({ name: component, secrets }) =>
    secrets.map(({ name }) => ({ component, name, file: join(layout.secretsDir, component, name) })),
  );
}

/** The limit of every container. */
export function processLimitsOf({ plan }: PlannedDocker): readonly ProcessLimit[] {
  return pidsLimits(plan);
}
