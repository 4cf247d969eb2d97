import { serverName } from "../../../model/placement.ts";
import type { DockerPlan } from "../plan.ts";

/** Where this host reaches the backend: at its published port. */
export function backendEndpoint({ deployment, containers }: DockerPlan): {
  host: string;
  port: number;
  servername: string;
} {
  const [published] = containers.find(({ name }) => name === "backend")?.ports ?? [];
  if (published === undefined) throw new TypeError("the backend publishes its port");
  const host = published.address === "0.0.0.0" ? "127.0.0.1" : published.address;
  return { host, port: published.external, servername: serverName("backend", deployment.tenant) };
}
