import { setTimeout as sleep } from "node:timers/promises";
import type { V1StatefulSet } from "@kubernetes/client-node";
import { MANAGE_SOCKET } from "../../../modules/custody/component.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import { custodyManagement } from "../../host/custody-management.ts";
import { hostErrors } from "../../host/errors.ts";
import { isAway, type Unsealing, unsealChecked } from "../../host/trust/unseal.ts";
import { podNamed } from "../pods.ts";
import { collectionPath } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { clusterDifferences } from "./differences.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import type { Forwards } from "./forwards.ts";
import { isRunning, podsOf } from "./pods-running.ts";
import { isClusterAway } from "./rollout.ts";
import { endStuck, type StuckSince } from "./stuck-pods.ts";

const LOOK_MS = 500;
const COMPONENT = "custody";

/** How every custody of a deployment is unsealed. */
export interface UnsealAllRequest extends Pick<Unsealing, "actor" | "passphrase" | "clock"> {
  readonly cluster: Cluster;
  readonly forwards: Forwards;
  /** Longest wait until the last one is of the current version and unsealed, in milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onUnsealed: (pod: string) => void;
  /** Whether others apply the objects: what is not as planned may become so until the limit, and is refused then. @default false */
  readonly patient?: boolean;
}

/**
 * Unseals every custody that runs in its current version, each after a look at everything in the namespace: a rolling update goes to the next
 * pod only once the one before it is ready, which it is when it was unsealed. Pods of the version before are left out of that look.
 * @throws CUSTODY_START_REFUSED, WORKLOAD_TIMEOUT, CLUSTER_UNREACHABLE, CLUSTER_CREDENTIAL, DEPLOY_CANCELLED, and what custody answers
 */
export async function unsealAll(request: UnsealAllRequest): Promise<void> {
  const { cluster, limitMs, signal } = request;
  const { replicas } = podNamed(cluster.plan.pods, COMPONENT) ?? { replicas: 1 };
  const open = new Set<string>();
  let why = "none of its pods runs";
  let away: TrustKernError | undefined;
  const since: StuckSince = new Map();
  for (const end = Date.now() + limitMs; ; ) {
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted: custody stays sealed");
    const isLast = Date.now() > end;
    try {
      await endStuckIn(cluster, since);
      for (const { name, uid, ordinal } of await currentPods(cluster)) {
        if (open.has(uid)) continue;
        await unsealOne(request, { name, ordinal, isLast });
        open.add(uid);
        request.onUnsealed(name);
      }
      why = `${open.size} of ${replicas} are of this version`;
      away = undefined;
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError) || !isAway(thrown)) throw thrown;
      why = thrown.message;
      away = isClusterAway(thrown) ? thrown : undefined;
    }
    const now = new Set((await currentPods(cluster).catch(() => [])).map(({ uid }) => uid));
    if (now.size === replicas && [...now].every((uid) => open.has(uid))) return;
    if (isLast) {
      if (away !== undefined) throw away;
      const seconds = Math.round(limitMs / 1_000);
      throw kubernetesLifeErrors.error("WORKLOAD_TIMEOUT", `custody is not unsealed after ${seconds} s: ${why}`, {
        path: COMPONENT,
      });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** A sealed custody of the version before is not ready, and would stay there for ever. */
async function endStuckIn({ api, plan }: Cluster, since: StuckSince): Promise<void> {
  const pod = podNamed(plan.pods, COMPONENT);
  if (pod !== undefined) await endStuck(api, plan, { pod, since });
}

interface Turn {
  readonly name: string;
  readonly ordinal: number;
  /** Whether there is no other try after this one. */
  readonly isLast: boolean;
}

async function unsealOne(
  { cluster, forwards, patient = false, ...order }: UnsealAllRequest,
  { name, ordinal, isLast }: Turn,
): Promise<void> {
  const { layout, options } = cluster;
  const findings = await clusterDifferences(cluster, { replacing: true, unsealing: name });
  // A refusal is an event: it is made once, and says all of them.
  if (findings.length > 0 && patient && !isLast) throw notYet(findings);
  const management = custodyManagement(forwards.replica(COMPONENT, MANAGE_SOCKET, ordinal));
  const check = async () => ({ version: undefined, findings });
  const { actor, passphrase, clock } = order;
  try {
    await unsealChecked({ deployment: options.deployment, layout, management, check, actor, passphrase, clock });
  } finally {
    management.close();
  }
}

function notYet(findings: readonly Finding[]): TrustKernError {
  const [first] = findings;
  const message = `${findings.length} differences from what is planned, the first: ${first?.path} ${first?.message}`;
  return kubernetesLifeErrors.error("CLUSTER_UNSETTLED", message, { path: first?.path });
}

interface CurrentPod {
  readonly name: string;
  readonly uid: string;
  readonly ordinal: number;
}

/** Pods of custody that run and that no update takes away. */
async function currentPods({ api, plan }: Cluster): Promise<readonly CurrentPod[]> {
  const pod = podNamed(plan.pods, COMPONENT);
  if (pod === undefined) return [];
  const set = await api.get(
    `${collectionPath("apps/v1", "StatefulSet", plan.deployment.kubernetes.namespace)}/${pod.name}`,
  );
  const { metadata, status } = (set ?? {}) as Partial<V1StatefulSet>;
  // Until its controller has looked at it, nobody knows which revision is the newest.
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 1)) return [];
  const running = (await podsOf(api, plan, pod)).filter(isRunning);
  return running
    .filter((one) => one.metadata?.labels?.["controller-revision-hash"] === status?.updateRevision)
    .map(({ metadata: { name = "", uid = "" } = {} }) => ({ name, uid, ordinal: Number(/\d+$/.exec(name)?.[0] ?? 0) }));
}
