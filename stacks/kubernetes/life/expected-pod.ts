import type { V1PersistentVolumeClaim, V1Pod, V1PodSpec, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { Finding } from "../../../shared/finding.ts";
import { differences } from "../check/differences.ts";
import type { PlannedObject } from "../objects.ts";
import type { KubernetesPlan } from "../plan.ts";
import type { Pod } from "../pods.ts";
import { withoutDefaults } from "./server-defaults.ts";

/** A pod of the cluster, and what it is by the plan. */
export interface PodToHold {
  readonly name: string;
  readonly pod: Pod;
  readonly live: V1Pod;
}

/** What a pod has to be. */
export interface ExpectedPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
}

/** The object of the plan that makes a pod. */
export function workloadIn(
  { objects }: Pick<KubernetesPlan, "objects">,
  pod: Pick<Pod, "kind" | "name">,
): PlannedObject | undefined {
  return objects.find(
    ({ kind, metadata: { name } }) =>
      kind === pod.kind && (kind === "Job" ? name.replace(/-[0-9a-f]+$/, "") === pod.name : name === pod.name),
  );
}

/** What its workload makes of a pod: the template, and the claims of its own ordinal. Undefined where the plan has no workload. */
export function expectedPod(
  { name, pod }: Pick<PodToHold, "name" | "pod">,
  plan: Pick<KubernetesPlan, "objects">,
): ExpectedPod | undefined {
  const workload = workloadIn(plan, pod) as { readonly spec?: Workload } | undefined;
  const template = workload?.spec?.template;
  if (template?.spec === undefined) return undefined;
  const claims = (workload?.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata?.name ?? "",
    persistentVolumeClaim: { claimName: `${metadata?.name}-${name}` },
  }));
  const volumes = [...(template.spec.volumes ?? []), ...claims];
  const spec = volumes.length === 0 ? template.spec : { ...template.spec, volumes };
  return { labels: template.metadata?.labels ?? {}, spec };
}

/**
 * Everything in which a pod is not, member by member, what its workload's template in the plan says: what an admission webhook, a
 * debugger or whoever made it by hand has put into it.
 */
export function podFindings(one: PodToHold, plan: Pick<KubernetesPlan, "objects">): readonly Finding[] {
  const expected = expectedPod(one, plan);
  if (expected === undefined) throw new TypeError(`the plan has no ${one.pod.kind} of "${one.pod.name}"`);
  const { metadata, spec } = one.live;
  const annotations = metadata?.annotations === undefined ? {} : { annotations: metadata.annotations };
  const live = { kind: "Pod", metadata: { labels: metadata?.labels, ...annotations }, spec };
  const planned = { kind: "Pod", metadata: { labels: expected.labels }, spec: expected.spec };
  return differences(withoutDefaults(live, planned), planned, `Pod/${one.name}`);
}

interface Workload {
  readonly template?: V1PodTemplateSpec;
  readonly volumeClaimTemplates?: readonly V1PersistentVolumeClaim[];
}
