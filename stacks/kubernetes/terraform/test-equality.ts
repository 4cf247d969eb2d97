import { stableJson } from "../../../shared/stable-json.ts";
import { STATE_FILE } from "../../cdktf/stack.ts";
import { synthJson } from "../cdktf.ts";
import type { KubernetesPlan } from "../plan.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../test-deployments.ts";
import { forTerraform, readObject } from "./test-reading.ts";

/** For tests: what may be anything. */
// biome-ignore lint/suspicious/noExplicitAny: faults reach into resources and objects as anybody with an editor could
export type Loose = any;
/** For tests: resources by type and name. */
export type Resources = Record<string, Record<string, Loose>>;

/** For tests: every profile that a cluster is for. */
export const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];

/** For tests: a deployment's objects as they are exported, and its resources as Terraform reads them. */
export function rendered(file: object): {
  readonly objects: Loose[];
  readonly resources: Resources;
  readonly stack: Loose;
} {
  return renderedPlan(testPlan(deploymentOf(file)).plan);
}

/** For tests: the same of a plan. */
export function renderedPlan(plan: KubernetesPlan): ReturnType<typeof rendered> {
  const stack = synthJson(plan, { backend: plan.deployment.state, localFile: STATE_FILE }) as Loose;
  return { objects: JSON.parse(JSON.stringify(plan.objects)), resources: stack.resource, stack };
}

/** For tests: every profile's deployment. */
export const TESTS = Object.fromEntries(
  PROFILES.map((profile) => [profile, rendered(KUBERNETES_FILES[profile])]),
) as Record<(typeof PROFILES)[number], ReturnType<typeof rendered>>;

/** What an apply does not wait for, and what Terraform leaves and takes away last. */
const FOR_TERRAFORM: Readonly<Record<string, object>> = {
  kubernetes_namespace_v1: { lifecycle: { prevent_destroy: true } },
  kubernetes_config_map_v1: { lifecycle: { create_before_destroy: true } },
  kubernetes_job_v1: { lifecycle: { create_before_destroy: true }, wait_for_completion: false },
  kubernetes_service_v1: { wait_for_load_balancer: false },
  kubernetes_stateful_set_v1: { wait_for_rollout: false },
  kubernetes_deployment_v1: { wait_for_rollout: false },
};

/** For tests: kind and name of an object. */
export const idOf = ({ kind, metadata }: Loose): string => `${kind}/${metadata.name}`;

/** Without the only member that the provider has no word for, where it has its one value. */
function withoutUnsaid(object: Loose): Loose {
  if (object.kind !== "PodDisruptionBudget") return object;
  const { unhealthyPodEvictionPolicy, ...spec } = object.spec;
  return { ...object, spec: unhealthyPodEvictionPolicy === "AlwaysAllow" ? spec : { ...spec, unsaid: true } };
}

/** For tests: everything in which resources and exported objects do not say the same, by the object. */
export function unequal(resources: Resources, objects: Loose[]): readonly string[] {
  const exported = new Map(objects.map((object) => [idOf(object), stableJson(withoutUnsaid(object))]));
  const seen = new Set<string>();
  const wrong = Object.entries(resources).flatMap(([type, named]) =>
    Object.entries(named).flatMap(([name, resource]) => {
      try {
        const object = readObject(type, resource);
        const id = idOf(object);
        const { depends_on: _, ...own } = forTerraform(resource);
        const settled = stableJson(own) === stableJson(FOR_TERRAFORM[type] ?? {});
        const twice = seen.has(id);
        seen.add(id);
        return !twice && settled && exported.get(id) === stableJson(object) ? [] : [id];
      } catch (thrown) {
        return [`${type}.${name}: ${String(thrown)}`];
      }
    }),
  );
  return [...wrong, ...[...exported.keys()].filter((id) => !seen.has(id))];
}
