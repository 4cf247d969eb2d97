import type { Finding } from "../../../shared/finding.ts";
import type { PlannedObject } from "../objects.ts";
import { isReset } from "./apply.ts";

/** Members that the API server never changes, whoever asks. */
const FIXED =
  /^(StatefulSet\/[^.]+\.spec\.(volumeClaimTemplates|serviceName|podManagementPolicy|selector)|Deployment\/[^.]+\.spec\.selector|Service\/[^.]+\.spec\.clusterIPs?)\b/;

/** Something in the namespace that nothing of the deployment has made. */
export function stranger(path: string, namespace: string): Finding {
  const message = "is in the namespace, and nothing of the deployment";
  return {
    code: "OBJECT_STRANGER",
    path,
    message,
    fix: `find out who made it; ${removal(path, namespace)} removes it`,
  };
}

/** What mends a pod that is not what its workload says. */
export function podFix(name: string, namespace: string): string {
  return `find out who put it there; ${removal(`Pod/${name}`, namespace)}, and the workload makes it anew`;
}

/** A finding of an object of the plan, with what mends it in a cluster. */
export function withFix(finding: Finding, objects: readonly PlannedObject[], namespace: string): Finding {
  const id = /^[^/]+\/[^.]+/.exec(finding.path)?.[0] ?? finding.path;
  const [kind = "", name = ""] = id.split("/");
  const planned = objects.find((one) => one.kind === kind && one.metadata.name === name);
  return { ...finding, fix: fixOf(finding, { id, kind, name, planned, namespace }) };
}

interface Subject {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly planned: PlannedObject | undefined;
  readonly namespace: string;
}

function fixOf({ path }: Finding, { id, kind, name, planned, namespace }: Subject): string {
  const anew = "and `trustkern deploy`, or whoever applies the objects, makes it anew";
  const back = "find out who changed it; `trustkern deploy` puts it back";
  // The whole object is missing.
  if (path === id) return "`trustkern deploy` makes it, or whoever applies the objects";
  // With a namespace go its volumes: it is never removed.
  if (kind === "Namespace") return planned === undefined ? back : (namespaceFix(path, name, planned) ?? back);
  if (FIXED.test(path))
    return `find out who changed it; ${removal(id, namespace, true)}, ${anew} (its pods and claims stay)`;
  return isReset(kind) ? back : `find out who changed it; ${removal(id, namespace)}, ${anew}`;
}

/** What others have said of a namespace is taken away by whoever may change it. Undefined for what is the plan's. */
function namespaceFix(path: string, name: string, { metadata }: PlannedObject): string | undefined {
  const [, member, , key = "KEY"] = /^Namespace\/[^.]+\.metadata\.(labels|annotations)(\.(.+))?$/.exec(path) ?? [];
  if (member === undefined) return `find out who changed it; kubectl edit namespace ${name} takes it away`;
  if (member === "labels" && Object.hasOwn(metadata.labels ?? {}, key)) return undefined;
  const verb = member === "labels" ? "label" : "annotate";
  return `find out who put it there; kubectl ${verb} namespace ${name} ${key}- takes it away`;
}

/** @param orphan whether what it has made stays, claims of volumes above all, whatever somebody has set there */
function removal(path: string, namespace: string, orphan = false): string {
  const [kind = "", name = ""] = path.split("/");
  const cascade = orphan && kind !== "Service" ? " --cascade=orphan" : "";
  return `kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}${cascade}`;
}
