import { renderFindings } from "../../../model/findings.ts";
import { claimDirs } from "../../host/claim.ts";
import { hostErrors } from "../../host/errors.ts";
import { takeFirstSteps } from "../../host/first-steps.ts";
import { takeLock } from "../../host/lock.ts";
import type { AskPassphrase } from "../../host/trust/unseal.ts";
import { podNamed } from "../pods.ts";
import { objectPath } from "./api.ts";
import { applyObject, isBeforePods, leftOver, type ObjectChange, startedFor } from "./apply.ts";
import { secretVersions } from "./apply-secrets.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { ownNamespace, rememberNamespace } from "./deployed-to.ts";
import { clusterDifferences } from "./differences.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { openForwards } from "./forwards.ts";
import type { ClusterOptions } from "./options.ts";
import { type Preflight, preflight } from "./preflight.ts";
import { untilReady } from "./rollout.ts";
import { prepareStore, secretObjects } from "./secrets.ts";
import { clusterSite } from "./site.ts";
import { unsealAll } from "./unseal-all.ts";
import { untilNamespace } from "./until-namespace.ts";

/** Who orders the unsealing that belongs to a deploy, for records. */
const DEPLOY_ACTOR = "trustkern deploy";

/** How to deploy to a cluster. */
export interface ClusterDeployOptions extends ClusterOptions {
  /** Whether somebody else applies the objects, such as Argo CD: then the Secrets alone are written. */
  readonly appliedElsewhere: boolean;
  /** Whether to wait until every pod is ready. */
  readonly wait: boolean;
  /** Longest wait for pods, in milliseconds. */
  readonly limitMs: number;
  /** @default the decryption keys open without a person */
  readonly passphrase?: AskPassphrase | undefined;
  readonly onChange: (change: ObjectChange) => void;
}

/** What a deploy to a cluster came to. */
export interface ClusterDeployReport {
  readonly schema: "trustkern.deploy/1";
  readonly components: readonly string[];
  /** Objects that were made, changed or removed. */
  readonly changed: number;
  /** Whether every pod is ready; false where nobody waited. */
  readonly healthy: boolean;
  /** The cluster, as it says itself. */
  readonly cluster: Preflight;
}

/**
 * Makes the cluster what `trustkern.yaml` says: looks, applies, waits, and holds what runs against the plan before custody may open
 * anything. A second run converges, whatever ended the first.
 * @throws every code of `kubernetesLifeErrors`, KUBERNETES_REFUSED, STATE_LOCKED, STATE_CORRUPT, DEPLOY_CANCELLED
 */
export async function deployCluster(options: ClusterDeployOptions): Promise<ClusterDeployReport> {
  return deployTo(await openCluster(options), options);
}

/** The same, to a cluster that was opened. @throws as {@link deployCluster} */
export async function deployTo(cluster: Cluster, options: ClusterDeployOptions): Promise<ClusterDeployReport> {
  const { api, plan, model, layout } = cluster;
  const { onProgress, onWarning, deployment } = options;
  await ownNamespace(cluster);
  const seen = await preflight(api, plan, options);
  onProgress(
    `Kubernetes ${seen.version}, namespace ${deployment.kubernetes.namespace}${seen.namespaceThere ? "" : ", which is made"}`,
  );
  if (seen.enforcer === undefined) onWarning(NO_ENFORCER);
  claimDirs(layout);
  const unlock = takeLock(layout.lockFile, options.pid);
  try {
    await prepareStore(options, { layout, model, plan });
    const changed = await applyAll(cluster, options);
    await using forwards = await openForwards(cluster);
    const site = await clusterSite(cluster, forwards, DEPLOY_ACTOR);
    const well = (
      names: readonly string[],
      limitMs: number,
      how: { readonly started?: boolean; readonly loud?: boolean },
    ) =>
      untilReady({
        ...how,
        api,
        plan,
        pods: plan.pods.filter((pod) => names.some((name) => podNamed(plan.pods, name) === pod)),
        limitMs,
        signal: options.signal,
        onReady: ({ name }) => (how.loud ? onProgress(`${name} is ready`) : undefined),
      });
    onProgress("waiting for custody");
    const { signal, clock, passphrase, limitMs, appliedElsewhere: patient } = options;
    await well(["custody"], limitMs, { started: true });
    const onUnsealed = (pod: string): void => onProgress(`everything is as planned: ${pod} is unsealed`);
    const actor = DEPLOY_ACTOR;
    await unsealAll({ cluster, forwards, actor, passphrase, clock, limitMs, signal, onUnsealed, patient });
    const { socket } = forwards;
    await takeFirstSteps({ deployment, site, socket, well: (names) => well(names, options.limitMs, {}), onProgress });
    if (options.wait) {
      const all = plan.pods.map(({ name }) => name);
      await well(all, options.limitMs, { loud: true });
      await assertAsPlanned(cluster);
    }
    return {
      schema: "trustkern.deploy/1",
      components: model.components.map(({ name }) => name),
      changed,
      healthy: options.wait,
      cluster: seen,
    };
  } finally {
    unlock();
  }
}

const NO_ENFORCER =
  "NO NETWORK PLUGIN THAT ENFORCES POLICIES WAS SEEN: if there is none, every pod of the cluster reaches every other, and only mutual TLS stands between them. trustkern verify boundary tries it";

/** Nothing of what an earlier version ran is there any more. @throws CLUSTER_DRIFTED */
async function assertAsPlanned(cluster: Cluster): Promise<void> {
  const findings = await clusterDifferences(cluster);
  if (findings.length === 0) return;
  const message = renderFindings("the cluster is not what was planned", findings);
  throw kubernetesLifeErrors.error("CLUSTER_DRIFTED", message, { path: findings[0]?.path, cause: findings });
}

/** Applies the objects that this command line applies, and removes what is left of earlier ones. */
async function applyAll(cluster: Cluster, options: ClusterDeployOptions): Promise<number> {
  const { api, plan, model, layout } = cluster;
  let changed = 0;
  const count = (changes: readonly ObjectChange[]): void => {
    changed += changes.length;
    for (const change of changes) options.onChange(change);
  };
  const go = (): void => {
    if (options.signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted; what was applied stays");
  };
  const own = options.appliedElsewhere ? [] : plan.objects;
  if (options.appliedElsewhere) {
    await untilNamespace(cluster, options);
    await rememberNamespace(cluster);
  }
  for (const object of own.filter(isBeforePods)) {
    go();
    count(await applyObject(api, object));
    if (object.kind === "Namespace") await rememberNamespace(cluster);
  }
  for (const object of secretObjects({ layout, model, plan })) {
    go();
    count(await applyObject(api, object));
  }
  if (options.appliedElsewhere) return changed;
  const versions = await secretVersions(cluster);
  for (const object of own.filter((each) => !isBeforePods(each))) {
    go();
    const components = podNamed(plan.pods, object.metadata.name)?.components ?? [];
    count(await applyObject(api, startedFor(object, components, versions)));
  }
  for (const object of await leftOver(api, plan)) {
    go();
    if (await api.remove(objectPath(object)))
      count([{ action: "delete", kind: object.kind, name: object.metadata.name }]);
  }
  return changed;
}
