import { type Observed, observe } from "../../../../stacks/docker/life/health.ts";
import { hostSocket } from "../../../../stacks/docker/mounts.ts";
import { observeContainers } from "../../../../stacks/host/trust/observe.ts";
import { probeImage } from "../../probe/probe-image.ts";
import { sweepProbes } from "../../probe/run-probe.ts";
import type { Observation } from "../observation.ts";
import type { RunningSubject } from "../subject.ts";
import { ask, HELPERS, reasonOf, type Unseen } from "./ask.ts";
import { askCustody, constraintsOf, imageFacts, mountTables, volumeFacts } from "./facts.ts";
import { inTurn } from "./in-turn.ts";
import { probeAll } from "./probe-all.ts";

/**
 * Looks at everything that the judgements need. What cannot be looked at is in the observation with its reason.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function gather(subject: RunningSubject): Promise<Observation> {
  const { docker, rendered, images, onProgress } = subject;
  const { layout, model, plan } = rendered;
  await sweepProbes(docker);
  // Before there is any helper: no other container has business here.
  const [everything, components, imagesSeen, custody] = await Promise.all([
    observeContainers(docker),
    observe({ docker, layout }, model.components),
    imageFacts(docker, images),
    askCustody(hostSocket(layout, "custody", "control")),
  ]);
  const image = await probeImage(docker, images).catch(reasonOf);
  onProgress("looking into each container's network");
  const inside = await lookInside(subject, image, components);
  onProgress("probing every port from inside each container");
  const probed = await probeAll(subject, image, { model, plan, components, inside });
  return {
    ...{ components, everything, inside, images: imagesSeen, custody },
    ...probed,
    mountTables: mountTables(components),
    volumes: volumeFacts(subject),
    constraints: constraintsOf(layout.authoritiesDir),
  };
}

/** A helper beside each container that runs, which reads what its namespace has. */
async function lookInside(
  subject: RunningSubject,
  image: string | Unseen,
  components: ReadonlyMap<string, Observed>,
): Promise<Observation["inside"]> {
  const running = [...components]
    .filter(([, { container }]) => container?.State.Running === true)
    .map(([name]) => name);
  const answers = await inTurn(running, HELPERS, async (container) => {
    return [container, await ask(subject, image, { container, question: {} })] as const;
  });
  return new Map(answers);
}
