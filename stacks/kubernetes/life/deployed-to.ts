import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { messageOf, type TrustKernError } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { hostErrors } from "../../host/errors.ts";
import { writePrivate, writing } from "../../host/files.ts";
import type { Layout } from "../../host/layout.ts";
import { collectionPath, type LiveObject } from "./api.ts";
import type { Cluster } from "./cluster.ts";
import { kubernetesLifeErrors } from "./errors.ts";

const recordSchema = z.strictObject({
  schema: z.literal("trustkern.kubernetes-namespace/1"),
  namespace: z.string().min(1),
  /** No two objects ever have the same one, in whichever cluster (Kubernetes API, ObjectMeta.uid). */
  uid: z.string().min(1),
  /** Server through which the removal of the namespace was begun: there it may be gone. */
  removing: z.string().min(1).optional(),
});

/** The namespace that a state directory was deployed to. */
type DeployedTo = z.infer<typeof recordSchema>;

/** A deployment in a cluster, as far as it is told from the same one in another cluster. */
export type Tied = Pick<Cluster, "api" | "config" | "layout" | "plan">;

/** Where it is remembered which namespace the state directory was deployed to. */
export function deployedToFile({ dir }: Pick<Layout, "dir">): string {
  return join(dir, "namespace.json");
}

/** Context and server of a kubeconfig, as people are told them: without a user's name and password, which a URL may have. */
export function placeOf(config: KubeConfig): { readonly context: string; readonly server: string } {
  const { origin, pathname } = new URL(config.getCurrentCluster()?.server ?? "");
  return { context: config.getCurrentContext(), server: `${origin}${pathname.replace(/\/$/, "")}` };
}

/**
 * The namespace that the kubeconfig leads to, once it is known to be the one that the state directory was deployed to; undefined where
 * there is none, which is right before the first deploy, and after a removal that was begun through the same server. A state directory
 * that was deployed to by a version before this was remembered goes with whichever namespace has the deployment's labels.
 * @throws CLUSTER_OTHER, STATE_CORRUPT
 */
export async function ownNamespace(tied: Tied): Promise<LiveObject | undefined> {
  const live = await liveNamespace(tied);
  const record = readRecord(tied.layout);
  if (record === undefined) return live;
  const isSame =
    live === undefined ? record.removing === placeOf(tied.config).server : live.metadata.uid === record.uid;
  if (isSame) return live;
  throw other(tied, record, live);
}

/**
 * Remembers the namespace, which is there: Secrets go into no other from now on.
 * @throws CLUSTER_OTHER where another one is remembered, STATE_UNWRITABLE
 */
export async function rememberNamespace(tied: Tied): Promise<void> {
  const live = await ownNamespace(tied);
  if (live !== undefined) write(tied, live);
}

/**
 * Remembers that the namespace is about to be removed, so that the next run goes on where it is gone.
 * @throws STATE_UNWRITABLE
 */
export function rememberRemoval(tied: Tied, live: LiveObject): void {
  write(tied, live, placeOf(tied.config).server);
}

/**
 * Whether what is stored here may be erased although the cluster has no namespace. The state says that it belongs to a cluster, and not
 * whether anything ever got there: without a removal that was begun, whoever knows better deletes the directory.
 * @throws CLUSTER_OTHER
 */
export function assertRemovalBegun(tied: Tied): void {
  const record = readRecord(tied.layout);
  if (record?.removing !== undefined) return;
  throw other(tied, record, undefined);
}

/** Forgets the namespace, with everything else of the deployment. @throws STATE_UNWRITABLE */
export function forgetNamespace(layout: Layout): void {
  const file = deployedToFile(layout);
  writing(file, () => rmSync(file, { force: true }));
}

function liveNamespace({ api, plan }: Pick<Tied, "api" | "plan">): Promise<LiveObject | undefined> {
  return api.get(`${collectionPath("v1", "Namespace")}/${plan.deployment.kubernetes.namespace}`);
}

function write({ layout }: Tied, { metadata: { name, uid } }: LiveObject, removing?: string): void {
  if (uid === undefined) throw new TypeError(`the API server gave the namespace "${name}" no uid`);
  const record: DeployedTo = { schema: "trustkern.kubernetes-namespace/1", namespace: name, uid, removing };
  writePrivate(deployedToFile(layout), `${stableJson(record, 2)}\n`);
}

function readRecord(layout: Layout): DeployedTo | undefined {
  const path = deployedToFile(layout);
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw hostErrors.error("STATE_CORRUPT", `"${path}" does not say which namespace this was deployed to: ${why}`, {
      path,
      fix: "restore it from a copy; or delete it, once you know that KUBECONFIG leads to the deployment's cluster",
      cause: thrown,
    });
  }
}

function other(
  { layout, plan, config }: Tied,
  record: DeployedTo | undefined,
  live: LiveObject | undefined,
): TrustKernError {
  const { namespace } = plan.deployment.kubernetes;
  const { context, server } = placeOf(config);
  const path = deployedToFile(layout);
  const there = live === undefined ? "is not there" : `has the uid ${live.metadata.uid}`;
  const said =
    record === undefined
      ? "was deployed to a cluster, and does not say which namespace's uid it had"
      : `was deployed to the namespace "${record.namespace}" with the uid ${record.uid}`;
  const gone =
    record === undefined
      ? `where nothing was ever applied, or that cluster or namespace is gone for good, all that is left is the directory "${layout.dir}": delete it`
      : `where that cluster or namespace is gone for good, delete the file "${path}" and run the command again`;
  const back =
    record === undefined || record.namespace === namespace
      ? "point KUBECONFIG to its cluster"
      : `say kubernetes.namespace: ${record.namespace}`;
  return kubernetesLifeErrors.error(
    "CLUSTER_OTHER",
    `the namespace "${namespace}" of context "${context}" (${server}) ${there}, and "${layout.dir}" ${said}`,
    { path, fix: `${back}; ${gone}` },
  );
}
