import type { CommandContext } from "./command.ts";
import { locateDeployment } from "./deployment-file.ts";

/** Whether the deployment of `-f`, or of the nearest `trustkern.yaml`, runs in a cluster. */
export async function isOnKubernetes({ io, flags }: CommandContext): Promise<boolean> {
  return (await locateDeployment(io, flags)).deployment.engine === "kubernetes";
}
