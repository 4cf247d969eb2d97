import { clusterFacts } from "../operations/evidence/facts/cluster.ts";
import { dockerFacts } from "../operations/evidence/facts/docker.ts";
import type { FactsSubject } from "../operations/evidence/facts/gather.ts";
import type { BoundarySubject } from "../operations/verify/boundary.ts";
import { verifyErrors } from "../operations/verify/errors.ts";
import type { DockerOptions } from "../stacks/docker/life/options.ts";
import { synthDocker } from "../stacks/docker/life/render.ts";
import { openCluster } from "../stacks/kubernetes/life/cluster.ts";
import type { ClusterOptions } from "../stacks/kubernetes/life/options.ts";
import { askingCluster, askingDocker } from "./asking.ts";
import { boundarySubject } from "./boundary-subject.ts";
import type { CommandContext } from "./command.ts";

/** What of {@link FactsSubject} is another on each engine. */
export type EngineSubject = Pick<FactsSubject, "model" | "images" | "engine" | "keys">;

/** A deployment of which evidence can be made. */
export interface EvidenceSubject {
  readonly boundary: BoundarySubject;
  /** Renders it, and says who is asked for its facts; asks nobody yet. */
  readonly engine: () => Promise<EngineSubject>;
}

/**
 * The deployment of `-f`, or of the nearest `trustkern.yaml`, as its evidence needs it.
 * @throws ENGINE_NOT_ISOLATED, CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS
 */
export async function evidenceSubject(context: CommandContext): Promise<EvidenceSubject> {
  const boundary = await boundarySubject(context);
  const { cluster, docker, deployment } = boundary;
  if (cluster !== undefined) return { boundary, engine: () => inCluster(context, cluster) };
  if (docker !== undefined) return { boundary, engine: async () => onDocker(context, docker) };
  const message = `the ${deployment.engine} engine has no isolation between components: there is nothing to sign`;
  throw verifyErrors.error("ENGINE_NOT_ISOLATED", message, { path: "engine" });
}

function onDocker(context: CommandContext, target: DockerOptions): EngineSubject {
  const { model, stack, layout } = synthDocker(target);
  const { keys, ...questions } = askingDocker(context, target, layout);
  return { model, images: target.images, keys, engine: dockerFacts({ stack, ...questions }) };
}

async function inCluster(context: CommandContext, target: ClusterOptions): Promise<EngineSubject> {
  const { model, plan, api } = await openCluster(target);
  const { keys, ...questions } = askingCluster(context, api);
  return { model, images: target.images, keys, engine: clusterFacts({ rendered: { model, plan }, ...questions }) };
}
