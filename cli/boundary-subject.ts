import { thisMachine } from "../operations/doctor/this-machine.ts";
import type { BoundarySubject } from "../operations/verify/boundary.ts";
import type { CommandContext } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";
import { dockerTarget } from "./docker-target.ts";
import { clusterOptions } from "./kubernetes-target.ts";

/**
 * The deployment of `-f`, of the nearest `trustkern.yaml`, or the default one, as its proof needs it.
 * @throws CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS
 */
export async function boundarySubject(context: CommandContext): Promise<BoundarySubject> {
  const { io, flags } = context;
  const { deployment, lines } = await locateDeployment(io, flags);
  if (deployment.engine === "kubernetes")
    return { deployment, lines, docker: undefined, cluster: await clusterOptions(context) };
  if (deployment.engine !== "docker") return { deployment, lines, docker: undefined };
  const { options } = await dockerTarget(context);
  return { deployment, lines, docker: { ...options, machine: thisMachine(io.env, io.cancelled) } };
}
