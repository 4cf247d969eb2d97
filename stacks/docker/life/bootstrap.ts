import { takeFirstSteps } from "../../host/first-steps.ts";
import { hostSocket } from "../mounts.ts";
import { dockerSite } from "./certs-site.ts";
import { waitHealthy } from "./health.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/** Longest wait for one answer of a component, beyond its own start-up time. */
const GRACE_SECONDS = 60;

/**
 * Does once what components cannot do for each other, as `takeFirstSteps` says.
 * @throws COMPONENT_UNHEALTHY, SERVICE_FAILED, DEPLOY_CANCELLED
 */
export async function bootstrap(options: DockerOptions, { layout, model }: Rendered): Promise<void> {
  const { deployment, docker, clock, signal, onProgress } = options;
  await takeFirstSteps({
    deployment,
    site: await dockerSite(options, "trustkern deploy"),
    socket: (component, socket) => hostSocket(layout, component, socket),
    well: (names) =>
      waitHealthy({
        docker,
        layout,
        components: model.components.filter(({ name }) => names.includes(name)),
        graceSeconds: GRACE_SECONDS,
        now: () => clock().getTime(),
        signal,
        onWell: () => undefined,
      }),
    onProgress,
  });
}
