import { manifestStream } from "../../../stacks/kubernetes/manifests.ts";
import type { RenderedKubernetes } from "../../../stacks/kubernetes/render.ts";
import { digestOf } from "../digest.ts";
import type { ClusterFacts } from "../schema/facts-schema.ts";
import { asked } from "./asked.ts";
import { elsewhereIn } from "./elsewhere.ts";
import type { EngineFacts } from "./gather.ts";

/** What the engine kubernetes is asked. */
export interface ClusterQuestions {
  readonly rendered: RenderedKubernetes;
  /** Version of the API server. */
  readonly kubernetes: () => Promise<string>;
}

/** The facts of a deployment in a cluster. */
export function clusterFacts({ rendered: { model, plan }, kubernetes }: ClusterQuestions): EngineFacts {
  return async (common) => {
    const unknown: ClusterFacts["unknown"] = [];
    const { namespace, publish } = plan.deployment.kubernetes;
    const version = await asked(unknown, "kubernetes", kubernetes);
    return {
      ...common,
      engine: "kubernetes",
      namespace,
      publishedTo: [...publish.from],
      versions: { ...common.versions, kubernetes: version ?? null },
      stack: digestOf(manifestStream(plan)),
      elsewhere: elsewhereIn(model),
      unknown: [...unknown, ...common.unknown],
    };
  };
}
