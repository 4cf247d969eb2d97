import { setTimeout as sleep } from "node:timers/promises";
import type { V1ContainerStatus, V1Job, V1PersistentVolumeClaim, V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { TrustKernError } from "../../../shared/errors.ts";
import { hostErrors } from "../../host/errors.ts";
import type { KubernetesPlan } from "../plan.ts";
import type { Pod } from "../pods.ts";
import { type ClusterApi, collectionPath, type LiveObject, objectPath } from "./api.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { hasEnded, isRunning, podsOf } from "./pods-running.ts";
import { endStuck, type StuckSince } from "./stuck-pods.ts";

const LOOK_MS = 500;
/** What a container waits for that no waiting mends, each after it was tried at least once. */
const HOPELESS = [
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
  "ImagePullBackOff",
  "ErrImagePull",
];
const AWAY = ["CLUSTER_UNREACHABLE", "CLUSTER_CREDENTIAL"];
/** Restarts after which a pod is not going to come up by itself. */
const TOO_OFTEN = 6;

/** What is waited for, and for how long. */
export interface RolloutRequest {
  readonly api: ClusterApi;
  readonly plan: KubernetesPlan;
  readonly pods: readonly Pod[];
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onReady: (pod: Pod) => void;
  /** Whether it is enough that one pod of the current version runs, ready or not: the next may wait for it. @default false */
  readonly started?: boolean;
}

/**
 * Waits until every pod of the current version is ready, and none of an older one runs; of a job, until it has done its work. A pod of
 * the version before that hinders the update is ended.
 * An API server that is away for a while is waited for too.
 * @throws WORKLOAD_FAILED, VOLUME_UNBOUND, WORKLOAD_TIMEOUT, CLUSTER_UNREACHABLE, CLUSTER_CREDENTIAL, DEPLOY_CANCELLED
 */
export async function untilReady(request: RolloutRequest): Promise<void> {
  const { api, plan, pods, limitMs, signal, onReady, started = false } = request;
  let waiting: readonly Pod[] = pods;
  let away: TrustKernError | undefined;
  let why: readonly string[] = [];
  const since: StuckSince = new Map();
  for (const end = Date.now() + limitMs; waiting.length > 0; ) {
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", `interrupted; not ready yet: ${namesOf(waiting)}`);
    try {
      const looked: Pod[] = [];
      why = [];
      for (const pod of waiting) {
        const reason = await waitsFor(api, plan, pod, started);
        if (reason === undefined) onReady(pod);
        else {
          await endStuck(api, plan, { pod, since });
          looked.push(pod);
          why = [...why, `${pod.name}: ${reason}`];
        }
      }
      waiting = looked;
      away = undefined;
    } catch (thrown) {
      if (!isClusterAway(thrown)) throw thrown;
      away = thrown;
    }
    if (waiting.length === 0) return;
    if (Date.now() > end) {
      if (away !== undefined) throw away;
      throw await tooLong({ api, plan, why, seconds: Math.round(limitMs / 1_000) });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether it is the API server that did not answer, or did not let in: that may be over a little later. */
export function isClusterAway(thrown: unknown): thrown is TrustKernError {
  return thrown instanceof TrustKernError && AWAY.includes(thrown.code);
}

/** What people are told when the time is over: a claim without a volume is the cause of all the rest. */
async function tooLong({
  api,
  plan,
  why,
  seconds,
}: {
  readonly api: ClusterApi;
  readonly plan: KubernetesPlan;
  readonly why: readonly string[];
  readonly seconds: number;
}): Promise<TrustKernError> {
  const message = `not ready after ${seconds} s: ${why.join("; ")}`;
  const claims = await unboundClaims(api, plan.deployment.kubernetes.namespace);
  const [claim] = claims;
  if (claim === undefined) return kubernetesLifeErrors.error("WORKLOAD_TIMEOUT", message);
  const said = await lastEvent(api, claim);
  return kubernetesLifeErrors.error(
    "VOLUME_UNBOUND",
    `claims without a volume: ${namesOfObjects(claims)}${said}; ${message}`,
    {
      path: claim.metadata.name,
    },
  );
}

/** What a workload still waits for, or undefined where it is as it should be. */
export async function waitsFor(
  api: ClusterApi,
  plan: KubernetesPlan,
  pod: Pod,
  enoughToStart = false,
): Promise<string | undefined> {
  const object = plan.objects.find(
    ({ kind, metadata }) =>
      kind === pod.kind && (metadata.name === pod.name || (kind === "Job" && metadata.name.startsWith(`${pod.name}-`))),
  );
  if (object === undefined) throw new TypeError(`the plan has no ${pod.kind} of "${pod.name}"`);
  const live = await api.get(objectPath(object));
  if (live === undefined) return "it is not there";
  if (pod.kind === "Job") return jobWaitsFor(live, pod);
  const { metadata, spec, status } = live as unknown as V1StatefulSet;
  const running = await podsOf(api, plan, pod);
  const wanted = spec?.replicas ?? pod.replicas;
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return "the cluster has not looked at it yet";
  for (const one of ofNewVersion(running, status)) assertHope(one, pod);
  const ready = status?.readyReplicas ?? 0;
  const updated = status?.updatedReplicas ?? 0;
  if (enoughToStart) {
    return updated > 0 && running.some(isRunning) ? undefined : `${updated} of ${wanted} are of the new version`;
  }
  if (updated < wanted) return `${updated} of ${wanted} are of the new version`;
  if (ready < wanted) return `${ready} of ${wanted} are ready`;
  // What has failed or was evicted stays as an object, and ends no more.
  const there = running.filter((one) => !hasEnded(one)).length;
  if (there > wanted) return `${there - wanted} of the old version still end`;
  return undefined;
}

/** Pods of the version that is to run, of a Deployment those that were made last: what is wrong with one before is about to be over. */
function ofNewVersion(pods: readonly V1Pod[], { updateRevision, updatedReplicas = 0 }: Status = {}): readonly V1Pod[] {
  if (updateRevision !== undefined)
    return pods.filter((one) => labelOf(one, "controller-revision-hash") === updateRevision);
  if (updatedReplicas === 0) return [];
  const madeAt = ({ metadata }: V1Pod): number => new Date(metadata?.creationTimestamp ?? 0).getTime();
  const last = pods.toSorted((a, b) => madeAt(a) - madeAt(b)).at(-1);
  const hash = last && labelOf(last, "pod-template-hash");
  return pods.filter((one) => labelOf(one, "pod-template-hash") === hash);
}

/** What a workload's controller says of it: a Deployment's names no revision. */
interface Status {
  readonly updatedReplicas?: number | undefined;
  readonly updateRevision?: string | undefined;
}

function labelOf({ metadata }: V1Pod, name: string): string | undefined {
  return metadata?.labels?.[name];
}

function jobWaitsFor(live: LiveObject, pod: Pod): string | undefined {
  const { status } = live as unknown as V1Job;
  const failed = status?.conditions?.find(({ type, status: is }) => type === "Failed" && is === "True");
  if (failed !== undefined) {
    const job = `job ${live.metadata.name} -n ${live.metadata.namespace}`;
    throw kubernetesLifeErrors.error("WORKLOAD_FAILED", `${pod.name}: ${failed.reason}: ${failed.message}`, {
      path: pod.name,
      fix: `kubectl logs job/${live.metadata.name} -n ${live.metadata.namespace} says why; mend it, kubectl delete ${job}, and run trustkern deploy again`,
    });
  }
  return (status?.succeeded ?? 0) > 0 ? undefined : "it has not done its work yet";
}

function assertHope({ metadata, status }: V1Pod, pod: Pod): void {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const container of containers) {
    const reason = hopeless(container);
    if (reason === undefined) continue;
    throw kubernetesLifeErrors.error("WORKLOAD_FAILED", `${metadata?.name}, container ${container.name}: ${reason}`, {
      path: pod.name,
      fix: `kubectl logs -n ${metadata?.namespace} ${metadata?.name} -c ${container.name} --previous says more; mend it, and run trustkern deploy again`,
    });
  }
}

function hopeless({ state, lastState, restartCount, ready }: V1ContainerStatus): string | undefined {
  const waiting = state?.waiting;
  if (waiting?.reason !== undefined && HOPELESS.includes(waiting.reason)) {
    return `${waiting.reason}${waiting.message === undefined ? "" : `: ${waiting.message}`}`;
  }
  if (ready || restartCount < TOO_OFTEN || waiting?.reason !== "CrashLoopBackOff") return undefined;
  const { exitCode, reason } = lastState?.terminated ?? {};
  return `started ${restartCount + 1} times, and ended with ${exitCode ?? "an unknown code"}${reason === undefined ? "" : ` (${reason})`}`;
}

/** Claims that have no volume. */
async function unboundClaims(api: ClusterApi, namespace: string): Promise<readonly LiveObject[]> {
  const claims = await api.list(collectionPath("v1", "PersistentVolumeClaim", namespace));
  return claims.filter((claim) => (claim as unknown as V1PersistentVolumeClaim).status?.phase === "Pending");
}

async function lastEvent(api: ClusterApi, { metadata: { name, namespace = "" } }: LiveObject): Promise<string> {
  const query = new URLSearchParams({ fieldSelector: `involvedObject.name=${name}` });
  const { status, body } = await api.ask("GET", `/api/v1/namespaces/${namespace}/events?${query}`);
  const { items = [] } = (status === 200 ? body : {}) as { readonly items?: readonly { readonly message?: string }[] };
  const last = items.at(-1)?.message;
  return last === undefined ? "" : ` (${last})`;
}

function namesOfObjects(objects: readonly LiveObject[]): string {
  return objects.map(({ metadata }) => metadata.name).join(", ");
}

function namesOf(pods: readonly Pod[]): string {
  return pods.map(({ name }) => name).join(", ");
}
