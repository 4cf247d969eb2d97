import type { PlannedObject } from "../../../../stacks/kubernetes/objects.ts";
import type { KubernetesPlan } from "../../../../stacks/kubernetes/plan.ts";
import type { RenderedCheck } from "../../rendered/seen.ts";

/** What there is to look at for a check, with counts. */
export function seenObjects(
  id: Exclude<RenderedCheck, "rendered.deployed">,
  { pods, objects }: Pick<KubernetesPlan, "pods" | "objects">,
): string {
  const components = pods.flatMap((pod) => pod.components);
  const of = (...kinds: readonly PlannedObject["kind"][]): number =>
    objects.filter(({ kind }) => kinds.includes(kind)).length;
  const sum = (count: (component: (typeof components)[number]) => number): number =>
    components.reduce((total, component) => total + count(component), 0);
  const containers = `${components.length} containers of ${pods.length} pods`;
  const images = new Set(components.flatMap(({ image }) => image ?? [])).size;
  const seen: Readonly<Record<typeof id, string>> = {
    "rendered.networks": `${of("NetworkPolicy")} network policies`,
    "rendered.ports": `${of("Service")} services`,
    "rendered.mounts": `${sum(({ files }) => files.length)} files, ${sum(({ volumes }) => volumes.length)} volumes, ${sum(({ sockets }) => sockets.length)} sockets of ${containers}`,
    "rendered.rights": `${containers}, ${of("ServiceAccount")} accounts without a token`,
    "rendered.secrets": `every text of ${objects.length} objects`,
    "rendered.images": `${images} images of components`,
    "rendered.limits": containers,
    "rendered.engine": `${objects.length} objects`,
  };
  return seen[id];
}
