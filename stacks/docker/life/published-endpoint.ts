import { serverName } from "../../../model/placement.ts";
import type { DockerPlan } from "../plan.ts";

/** Where this host reaches a component that publishes one port. */
export function publishedEndpoint(
  { containers }: Pick<DockerPlan, "containers">,
  component: string,
): { readonly host: string; readonly port: number } {
  const [published] = containers.find(({ name }) => name === component)?.ports ?? [];
  if (published === undefined) throw new TypeError(`${component} publishes its port`);
  const host = published.address === "0.0.0.0" ? "127.0.0.1" : published.address;
  return { host, port: published.external };
}

/** Where this host reaches the backend. */
export function backendEndpoint(plan: DockerPlan): { host: string; port: number; servername: string } {
  return { ...publishedEndpoint(plan, "backend"), servername: serverName("backend", plan.deployment.tenant) };
}
