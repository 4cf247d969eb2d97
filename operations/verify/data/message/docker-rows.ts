import { inspectContainers } from "../../../../stacks/docker/life/inspect.ts";
import type { DataSubject } from "../subject.ts";
import { openRows, ROWS_OF, type Rows } from "./stored.ts";

/**
 * Rows of a deployment on Docker, at the database's own address.
 * @throws what `pg` throws, and the file system
 */
export async function dockerRows({ docker, deployment, rendered }: DataSubject): Promise<Rows> {
  const { layout, model } = rendered;
  const found = await inspectContainers(docker, [ROWS_OF]);
  const networks = Object.values(found.get(ROWS_OF)?.NetworkSettings.Networks ?? {});
  const host = networks.map(({ IPAddress }) => IPAddress).find((address) => address !== "");
  if (host === undefined) throw new Error("it has no address");
  const port = model.components.find(({ name }) => name === ROWS_OF)?.ports[0]?.port ?? 0;
  return openRows({ host, port, layout, model, tenant: deployment.tenant });
}
