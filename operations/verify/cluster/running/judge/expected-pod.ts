import type { V1PersistentVolumeClaim, V1PodSpec, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { KubernetesPlan } from "../../../../../stacks/kubernetes/plan.ts";
import type { SeenPod } from "../observation.ts";

/** What a pod has to be. */
export interface ExpectedPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
}

/** What its workload makes of a pod: the template, and the claims of its own ordinal. Undefined where the plan has no workload. */
export function expectedPod(
  { name, pod }: Pick<SeenPod, "name" | "pod">,
  { objects }: Pick<KubernetesPlan, "objects">,
): ExpectedPod | undefined {
  const workload = objects.find(
    ({ kind, metadata }) =>
      kind === pod.kind && (kind === "Job" ? metadata.name.startsWith(`${pod.name}-`) : metadata.name === pod.name),
  ) as { readonly spec?: Workload } | undefined;
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

interface Workload {
  readonly template?: V1PodTemplateSpec;
  readonly volumeClaimTemplates?: readonly V1PersistentVolumeClaim[];
}
