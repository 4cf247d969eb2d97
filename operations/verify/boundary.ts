import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import type { LineResult } from "../../profiles/lines.ts";
import type { Finding } from "../../shared/finding.ts";
import { type Rendered, synthDocker } from "../../stacks/docker/life/render.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { readState, settledHosting } from "../../stacks/host/state.ts";
import { clusterLayout } from "../../stacks/kubernetes/life/layout.ts";
import type { ClusterOptions } from "../../stacks/kubernetes/life/options.ts";
import { renderKubernetes } from "../../stacks/kubernetes/render.ts";
import { checksOf, LAYERS, type Layer } from "./checks.ts";
import { verifyClusterLayer } from "./cluster/index.ts";
import { verifyData } from "./data/index.ts";
import { verifyErrors } from "./errors.ts";
import { verifyModel } from "./model/index.ts";
import { notLookedAt } from "./not-looked-at.ts";
import { type DockerBoundary, type Look, lookOnDocker } from "./on-docker.ts";
import { readDeployed } from "./rendered/deployed.ts";
import { verifyRendered } from "./rendered/index.ts";
import type { CheckResult, Verification } from "./result.ts";
import { verifyRunning } from "./running/index.ts";

/** A deployment whose boundary is to be proven. */
export interface BoundarySubject {
  readonly deployment: Deployment;
  /** Every line of its profile, held against its file. */
  readonly lines: readonly LineResult[];
  /** What the docker engine is handed; undefined on another one: the embedded engine has nothing that keeps components apart. */
  readonly docker: DockerBoundary | undefined;
  /**
   * What the kubernetes engine is handed.
   * @default another engine's deployment
   */
  readonly cluster?: ClusterOptions | undefined;
}

/** How to prove it. */
export interface BoundaryOptions extends BoundarySubject {
  /** Fewer than all of them prove nothing of the boundary. @default all */
  readonly layers?: readonly Layer[] | undefined;
  readonly clock: () => Date;
  /** Hears of each layer before it is looked at. */
  readonly onLayer: (layer: Layer) => void;
}

const LOOKS: Readonly<Record<"running" | "data", Look>> = {
  running: verifyRunning,
  data: verifyData,
};

/**
 * Looks at the layers in their order. What is wrong with the deployment, and what keeps a layer from being looked at, is in the
 * results.
 * @throws BOUNDARY_BROKEN where no model can be made, STATE_CORRUPT, DEPLOY_CANCELLED
 * @throws HOSTING_MOVED where the file names another region or account than what was deployed is in
 */
export async function verifyBoundary(options: BoundaryOptions): Promise<Verification> {
  const { deployment, clock, docker, cluster } = options;
  const layers = LAYERS.filter((layer) => options.layers?.includes(layer) ?? true);
  const startedAt = clock().toISOString();
  const rendered = docker === undefined ? undefined : synthDocker(docker);
  if (rendered !== undefined)
    settledHosting(readState(rendered.layout.stateFile, deployment.tenant, "docker"), deployment);
  const objects = cluster === undefined ? undefined : renderKubernetes(cluster);
  if (cluster !== undefined && objects !== undefined) {
    const { stateFile } = clusterLayout(cluster, objects.model);
    settledHosting(readState(stateFile, deployment.tenant, "kubernetes"), deployment);
  }
  const model = (rendered ?? objects)?.model ?? buildModel(deployment, referencePlacement(deployment));
  const results: CheckResult[] = [];
  for (const layer of layers) {
    options.onLayer(layer);
    const looked =
      cluster === undefined || objects === undefined || layer === "model"
        ? await verifyLayer(layer, options, model, rendered)
        : await verifyClusterLayer(layer, cluster, objects);
    results.push(...complete(layer, looked));
    if ((docker ?? cluster)?.signal.aborted)
      throw hostErrors.error("DEPLOY_CANCELLED", `interrupted at the layer ${layer}`);
  }
  return {
    schema: "trustkern.verify-boundary/1",
    deployment: deployment.name,
    tenant: deployment.tenant,
    profile: deployment.profile,
    engine: deployment.engine,
    startedAt,
    endedAt: clock().toISOString(),
    layers,
    results,
  };
}

// A check that nobody looked at would be missing from the verdict, too.
function complete(layer: Layer, results: readonly CheckResult[]): readonly CheckResult[] {
  const [wanted, given] = [checksOf(layer), results.map(({ id }) => id)];
  if (wanted.join() === given.join()) return results;
  throw new TypeError(`layer ${layer} gave the results ${given.join(", ")}`);
}

async function verifyLayer(
  layer: Layer,
  { deployment, lines, docker }: BoundarySubject,
  model: Model,
  rendered: Rendered | undefined,
): Promise<readonly CheckResult[]> {
  if (layer === "model") return verifyModel({ deployment, lines, model });
  if (docker === undefined || rendered === undefined) return notLookedAt(layer, notIsolated(deployment));
  if (layer !== "rendered") return lookOnDocker(layer, { ...docker, rendered }, LOOKS[layer]);
  const { layout, stack } = rendered;
  const { images, runAs } = docker;
  return verifyRendered(stack, { deployment, layout, images, runAs, model, deployed: readDeployed(layout, model) });
}

function notIsolated({ engine }: Deployment): Finding {
  const { fix } = verifyErrors.entries.ENGINE_NOT_ISOLATED;
  const message = `the ${engine} engine has no isolation between components`;
  return { code: "ENGINE_NOT_ISOLATED", path: "engine", message, fix };
}
