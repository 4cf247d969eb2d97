import { dockerOutput } from "../../host/docker-cli.ts";
import { pidsLimits } from "../plan.ts";
import { inspectContainers } from "./inspect.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/**
 * The provider has no attribute for the number of processes: it is set on what runs, where it is not set yet. A container that
 * starts again and again takes no limit: it has to become healthy first, and what keeps it from that is what the caller hears.
 * @param becomeHealthy throws why some of these containers do not
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED, and what `becomeHealthy` throws
 */
export async function limitProcesses(
  { docker }: Pick<DockerOptions, "docker">,
  { plan }: Pick<Rendered, "plan">,
  becomeHealthy: (names: readonly string[]) => Promise<void>,
): Promise<void> {
  const limits = pidsLimits(plan);
  const found = await inspectContainers(
    docker,
    limits.map(({ container }) => container),
  );
  const wrong = limits.filter(({ container, pids }) => {
    const { HostConfig } = found.get(container) ?? {};
    return HostConfig !== undefined && HostConfig.PidsLimit !== pids;
  });
  const byLimit = Map.groupBy(wrong, ({ pids }) => pids);
  await Promise.all(
    [...byLimit].map(async ([pids, those]) => {
      const names = those.map(({ container }) => container);
      const update = (): Promise<string> => dockerOutput(docker, ["update", "--pids-limit", String(pids), ...names]);
      await update().catch(async () => {
        await becomeHealthy(names);
        await update();
      });
    }),
  );
}
