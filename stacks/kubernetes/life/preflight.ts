import type { V1DaemonSet } from "@kubernetes/client-node";
import { renderFindings } from "../../../model/findings.ts";
import type { Finding } from "../../../shared/finding.ts";
import { LABEL } from "../../docker/labels.ts";
import type { KubernetesPlan } from "../plan.ts";
import { accepted, type ClusterApi, collectionPath, type LiveObject } from "./api.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { quotaFindings, roomFindings } from "./room.ts";
import { clusterVersion } from "./version.ts";

/** Oldest version that has all that the objects are made of: `persistentVolumeClaimRetentionPolicy` is stable since then. */
const LEAST_MINOR = 32;

const CHANGE = ["get", "list", "patch", "create", "delete"] as const;
const LOOK = ["get", "list"] as const;
/** Of what is put back whole where somebody has added to it. */
const RESET = [...CHANGE, "update"] as const;

/** What the command line does in the namespace, by API group. */
export const RIGHTS: readonly (readonly [group: string, resource: string, verbs: readonly string[]])[] = [
  ["", "configmaps", CHANGE],
  ["", "secrets", CHANGE],
  ["", "services", RESET],
  ["", "serviceaccounts", RESET],
  ["", "replicationcontrollers", LOOK],
  ["", "pods", [...LOOK, "delete"]],
  ["", "persistentvolumeclaims", LOOK],
  ["", "events", LOOK],
  ["", "pods/exec", ["get", "create"]],
  ["", "pods/portforward", ["get", "create"]],
  ["", "pods/log", ["get"]],
  ["", "resourcequotas", ["list"]],
  ["apps", "statefulsets", RESET],
  ["apps", "deployments", RESET],
  ["apps", "daemonsets", LOOK],
  ["apps", "replicasets", LOOK],
  ["batch", "jobs", CHANGE],
  ["batch", "cronjobs", LOOK],
  ["networking.k8s.io", "networkpolicies", RESET],
  ["policy", "poddisruptionbudgets", RESET],
  ["autoscaling", "horizontalpodautoscalers", RESET],
];

/** Programs of network plugins that enforce NetworkPolicies, by a part of their DaemonSets' names in any namespace. */
const ENFORCERS: readonly { readonly name: string; readonly asked?: RegExp; readonly off?: RegExp }[] = [
  { name: "calico-node" },
  { name: "canal" },
  { name: "cilium" },
  // GKE's Dataplane V2, which is Cilium.
  { name: "anetd" },
  { name: "antrea-agent" },
  { name: "kube-router", off: /^--run-firewall=false$/ },
  { name: "kube-network-policies" },
  { name: "ovnkube-node" },
  { name: "weave-net" },
  // The VPC CNI of Amazon enforces none unless it is told to.
  { name: "aws-node", asked: /^--enable-network-policy(=true)?$/ },
  { name: "azure-npm" },
];

/** How a look at the cluster is taken. */
export interface PreflightOptions {
  /** Whether somebody else makes the namespace: then one that has no labels yet is waited for. */
  readonly appliedElsewhere: boolean;
}

/** What a look at the cluster found, before anything is changed. */
export interface Preflight {
  /** Such as `v1.34.1`. */
  readonly version: string;
  /** A network plugin that is known to enforce policies; undefined where none is seen. */
  readonly enforcer: string | undefined;
  /** Whether the namespace is there, and ours. */
  readonly namespaceThere: boolean;
}

/**
 * Looks whether the cluster can have the deployment: its version, what this user may do, whose the namespace is, the storage class,
 * and what there is room for. Changes nothing.
 * @throws CLUSTER_UNREACHABLE, CLUSTER_CREDENTIAL, CLUSTER_TOO_OLD, CLUSTER_DENIED, NAMESPACE_FOREIGN, STORAGE_CLASS_MISSING, CLUSTER_QUOTA
 */
export async function preflight(
  api: ClusterApi,
  plan: KubernetesPlan,
  { appliedElsewhere }: PreflightOptions = { appliedElsewhere: false },
): Promise<Preflight> {
  const version = await assertVersion(api);
  const namespaceThere = await assertNamespace(api, plan, appliedElsewhere);
  await assertRights(api, plan.deployment.kubernetes.namespace, [
    ["", "namespaces", ["get", "patch", "create"]],
    ...RIGHTS,
  ]);
  await assertStorageClass(api, plan);
  const { namespace } = plan.deployment.kubernetes;
  const quotas = namespaceThere ? await api.list(collectionPath("v1", "ResourceQuota", namespace)) : [];
  const findings = [...quotaFindings(quotas, plan), ...(await nodesRoom(api, plan, namespaceThere))];
  if (findings.length > 0) {
    const message = renderFindings("the cluster has no room for the deployment", findings);
    throw kubernetesLifeErrors.error("CLUSTER_QUOTA", message, { path: findings[0]?.path, cause: findings });
  }
  return { version, namespaceThere, enforcer: await enforcerOf(api) };
}

/** Whether a namespace is this deployment's, by its labels. */
export function isOwn(
  { metadata: { labels = {} } }: LiveObject,
  { deployment }: Pick<KubernetesPlan, "deployment">,
): boolean {
  return labels[`${LABEL}.deployment`] === deployment.name && labels[`${LABEL}.tenant`] === deployment.tenant;
}

/** Whether a namespace is nobody's by its labels, as one is that was made before its manifest was applied. */
export function isBare({ metadata: { labels = {} } }: LiveObject): boolean {
  return Object.keys(labels).every((name) => !name.startsWith(`${LABEL}.`));
}

async function assertVersion(api: ClusterApi): Promise<string> {
  const { gitVersion, minor, major } = await clusterVersion(api);
  const number = Number.parseInt(minor, 10);
  if (major === "1" && number >= LEAST_MINOR) return gitVersion;
  throw kubernetesLifeErrors.error(
    "CLUSTER_TOO_OLD",
    `the cluster is ${gitVersion}; accepted: 1.${LEAST_MINOR} or later`,
  );
}

/**
 * Whether the namespace is there, and ours; one that is somebody else's is refused, since Secrets go there.
 * @param patient takes one without labels of ours for one that is not there yet. @default false
 * @throws NAMESPACE_FOREIGN
 */
export async function assertNamespace(
  api: ClusterApi,
  plan: Pick<KubernetesPlan, "deployment">,
  patient = false,
): Promise<boolean> {
  const { namespace } = plan.deployment.kubernetes;
  const found = await api.get(`${collectionPath("v1", "Namespace")}/${namespace}`);
  if (found === undefined) return false;
  if (found.metadata.deletionTimestamp !== undefined) {
    throw kubernetesLifeErrors.error("NAMESPACE_FOREIGN", `the namespace "${namespace}" is being removed`, {
      path: "kubernetes.namespace",
      fix: "wait until kubectl get namespace no longer shows it, and run the command again",
    });
  }
  if (isOwn(found, plan)) return true;
  if (patient && isBare(found)) return false;
  const { labels = {} } = found.metadata;
  const owner = labels[`${LABEL}.deployment`];
  const whose =
    owner === undefined
      ? "has no label of trustkern"
      : `belongs to the deployment "${owner}" of tenant "${labels[`${LABEL}.tenant`]}"`;
  throw kubernetesLifeErrors.error("NAMESPACE_FOREIGN", `the namespace "${namespace}" is there and ${whose}`, {
    path: "kubernetes.namespace",
  });
}

/**
 * Asks for every right, so that an administrator is asked once.
 * @throws CLUSTER_DENIED with all that are missing
 */
export async function assertRights(api: ClusterApi, namespace: string, rights: typeof RIGHTS): Promise<void> {
  const denied: string[] = [];
  for (const [group, full, verbs] of rights) {
    const [resource, subresource] = full.split("/");
    // A namespace is asked for by its name; everything else is in it.
    const place = full === "namespaces" ? { name: namespace } : { namespace };
    const allowed = await Promise.all(
      verbs.map(async (verb) => {
        const spec = { resourceAttributes: { group, resource, subresource, verb, ...place } };
        const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
        const answer = await api.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
        const { status } = accepted(answer, "ask for this user's rights") as {
          readonly status?: { readonly allowed?: boolean };
        };
        return status?.allowed === true;
      }),
    );
    const not = verbs.filter((_, index) => allowed[index] !== true);
    if (not.length > 0) denied.push(`${not.join(", ")} ${full}${group === "" ? "" : `.${group}`}`);
  }
  if (denied.length === 0) return;
  const message = `this user may not, in namespace "${namespace}": ${denied.join("; ")}`;
  throw kubernetesLifeErrors.error("CLUSTER_DENIED", message, { path: "kubernetes.namespace" });
}

async function assertStorageClass(api: ClusterApi, plan: KubernetesPlan): Promise<void> {
  const { storageClass } = plan.deployment.kubernetes;
  const answer = await api.ask("GET", "/apis/storage.k8s.io/v1/storageclasses");
  // Somebody who may not look at what is the whole cluster's is told by the claim that stays unbound.
  if (answer.status === 403) return;
  const { items } = accepted(answer, "list storage classes") as { readonly items: readonly LiveObject[] };
  const names = items.map(({ metadata }) => metadata.name);
  const isDefault = ({ metadata }: LiveObject) =>
    metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";
  if (storageClass === undefined ? items.some(isDefault) : names.includes(storageClass)) return;
  const what =
    storageClass === undefined
      ? "the cluster has no storage class of its own"
      : `there is no storage class "${storageClass}"`;
  throw kubernetesLifeErrors.error(
    "STORAGE_CLASS_MISSING",
    `${what}; accepted: ${names.join(", ") || "none is there"}`,
    {
      path: "kubernetes.storageClass",
    },
  );
}

/** What the nodes have left; asked for a first deploy alone, since later what runs is counted already. */
async function nodesRoom(api: ClusterApi, plan: KubernetesPlan, there: boolean): Promise<readonly Finding[]> {
  if (there) return [];
  const answer = await api.ask("GET", "/api/v1/nodes");
  // Somebody who may not look at what is the whole cluster's is told by the pods that find no place.
  if (answer.status === 403) return [];
  const { items } = accepted(answer, "list nodes") as { readonly items: readonly LiveObject[] };
  return roomFindings(items, plan);
}

async function enforcerOf(api: ClusterApi): Promise<string | undefined> {
  const answer = await api.ask("GET", "/apis/apps/v1/daemonsets");
  if (answer.status === 403) return undefined;
  const { items } = accepted(answer, "list daemonsets") as { readonly items: readonly V1DaemonSet[] };
  return items.find(isEnforcer)?.metadata?.name;
}

function isEnforcer({ metadata, spec }: V1DaemonSet): boolean {
  const known = ENFORCERS.find(({ name }) => metadata?.name?.includes(name));
  if (known === undefined) return false;
  const words = (spec?.template.spec?.containers ?? []).flatMap(({ command = [], args = [] }) => [...command, ...args]);
  const says = (form: RegExp | undefined): boolean => form !== undefined && words.some((word) => form.test(word));
  return (known.asked === undefined || says(known.asked)) && !says(known.off);
}
