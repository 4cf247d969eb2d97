import { tmpdir } from "node:os";
import { MANAGE_SOCKET } from "../modules/custody/component.ts";
import { dockerLayout } from "../stacks/docker/life/docker-layout.ts";
import { startPlace } from "../stacks/docker/life/start.ts";
import { hostSocket } from "../stacks/docker/mounts.ts";
import { embeddedPlacement } from "../stacks/embedded/placement.ts";
import { hostErrors } from "../stacks/host/errors.ts";
import { type Layout, layoutOf } from "../stacks/host/layout.ts";
import { readState } from "../stacks/host/state.ts";
import type { StartPlace } from "../stacks/host/trust/place.ts";
import { type Cluster, openCluster } from "../stacks/kubernetes/life/cluster.ts";
import { openForwards } from "../stacks/kubernetes/life/forwards.ts";
import type { ClusterOptions } from "../stacks/kubernetes/life/options.ts";
import { assertDeployed } from "../stacks/kubernetes/life/site.ts";
import type { CommandContext } from "./command.ts";
import { type LocatedDeployment, locateDeployment } from "./deployment-file.ts";
import { cliErrors } from "./errors.ts";
import { clusterOptions } from "./kubernetes-target.ts";

/** Custody of a deployment on this host. */
export interface CustodyHost {
  readonly located: LocatedDeployment;
  readonly layout: Layout;
  /** Path of its management socket; of several custodies that of the one that writes. */
  readonly socket: string;
  /** Those of the others. */
  readonly followers: readonly string[];
  /** What its start on this host is checked against; undefined on the engine embedded, whose processes live as long as `trustkern up`. */
  readonly start: StartPlace | undefined;
  /** The cluster that it runs in, and is checked in. */
  readonly cluster: Cluster | undefined;
}

/**
 * Custody of the deployment of `-f`, or of the nearest `trustkern.yaml`.
 * @throws NOT_DEPLOYED, DOCKER_ENGINE_ONLY, STATE_CORRUPT, CONFIG_INVALID
 */
export async function custodyHost(context: CommandContext): Promise<CustodyHost> {
  const { io, flags } = context;
  const located = await locateDeployment(io, flags);
  const { deployment, dir, file } = located;
  const { engine, tenant } = deployment;
  if (engine === "kubernetes") return inCluster(located, await clusterOptions(context));
  if (engine !== "embedded" && engine !== "docker") {
    throw cliErrors.error("DOCKER_ENGINE_ONLY", `the deployment has the engine "${engine}"`, { path: file });
  }
  const temporaryDir = tmpdir();
  const layout =
    engine === "embedded" ? layoutOf(dir, temporaryDir) : dockerLayout({ deployment, dir, temporaryDir }).layout;
  if (readState(layout.stateFile, tenant, engine) === undefined) {
    throw hostErrors.error("NOT_DEPLOYED", `there is no deployment in "${layout.dir}"`, { path: layout.dir });
  }
  if (engine === "docker") {
    const socket = hostSocket(layout, "custody", MANAGE_SOCKET);
    return {
      located,
      layout,
      socket,
      start: startPlace({ deployment }, { layout }),
      followers: [],
      cluster: undefined,
    };
  }
  const socket = embeddedPlacement(layout, tenant, {}).socket("custody", MANAGE_SOCKET);
  return { located, layout, socket, followers: [], start: undefined, cluster: undefined };
}

/** A way into custody's pod is there for as long as this process has something to do. */
async function inCluster(located: LocatedDeployment, options: ClusterOptions): Promise<CustodyHost> {
  const cluster = await openCluster(options);
  assertDeployed(cluster);
  const forwards = await openForwards(cluster);
  forwards.unref();
  const { layout } = cluster;
  const { replicas } = options.deployment.kubernetes.custody;
  const [socket = "", ...followers] = Array.from({ length: replicas }, (_, ordinal) =>
    forwards.replica("custody", MANAGE_SOCKET, ordinal),
  );
  return { located, layout, socket, followers, start: undefined, cluster };
}
