import { type RequestOptions, request } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { hostErrors } from "../../host/errors.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** Longest wait for one answer of the API server, in milliseconds. */
const ANSWER_MS = 30_000;

/** Who the API server says has set a field; who sets one of ours by another name is seen. */
export const FIELD_MANAGER = "trustkern";

/** What the API server said. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** How one object is applied. */
export interface ApplyOptions {
  /** Only asks what would come of it. */
  readonly dryRun?: boolean;
  /** Whose the fields are from then on. @default {@link FIELD_MANAGER} */
  readonly fieldManager?: string;
}

/** Any object, as far as its place in the API follows from it. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

/** An object that the cluster has. */
export type LiveObject = Omit<ApiObject, "metadata"> & {
  readonly metadata: ApiObject["metadata"] & {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
};

/** The API server of one cluster. Objects go over as they are: no serializer of a client changes or drops a member. */
export interface ClusterApi {
  /** @throws CLUSTER_UNREACHABLE, CLUSTER_CREDENTIAL */
  readonly ask: (method: string, path: string, body?: unknown, contentType?: string) => Promise<ApiAnswer>;
  /** The object at a path, or undefined. @throws CLUSTER_UNREACHABLE, CLUSTER_CREDENTIAL, CLUSTER_DENIED, CLUSTER_REJECTED */
  readonly get: (path: string) => Promise<LiveObject | undefined>;
  /** The items at a path, of every page. @throws as {@link get} */
  readonly list: (path: string, labels?: Readonly<Record<string, string>>) => Promise<readonly LiveObject[]>;
  /** Server-side apply, and nothing that the server does not know. @throws as {@link get} */
  readonly apply: (object: ApiObject, options?: ApplyOptions) => Promise<LiveObject>;
  /** Puts an object in the place of the one that is there, whoever has set what in it. @throws as {@link get} */
  readonly replace: (object: ApiObject) => Promise<LiveObject>;
  /** The answer as it came, such as a pod's log. @throws as {@link get} */
  readonly read: (path: string) => Promise<string>;
  /** Whether it was there, and with the uid where one is named. Waits for nothing. @throws as {@link get} */
  readonly remove: (path: string, uid?: string) => Promise<boolean>;
}

/** Plural names of the kinds that a deployment is made of. */
const PLURALS: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  ServiceAccount: "serviceaccounts",
  NetworkPolicy: "networkpolicies",
  ConfigMap: "configmaps",
  Secret: "secrets",
  Service: "services",
  StatefulSet: "statefulsets",
  Deployment: "deployments",
  Job: "jobs",
  Pod: "pods",
  PodDisruptionBudget: "poddisruptionbudgets",
  HorizontalPodAutoscaler: "horizontalpodautoscalers",
  ResourceQuota: "resourcequotas",
  PersistentVolumeClaim: "persistentvolumeclaims",
};

/** Path of all objects of a kind, in one namespace where it has any. */
export function collectionPath(apiVersion: string, kind: string, namespace?: string): string {
  const plural = PLURALS[kind];
  if (plural === undefined) throw new TypeError(`no plural for ${kind}`);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** Path of one object. */
export function objectPath({ apiVersion, kind, metadata: { name, namespace } }: ApiObject): string {
  return `${collectionPath(apiVersion, kind, namespace)}/${name}`;
}

/**
 * The API server of a kubeconfig's context.
 * @param signal ends what is under way
 */
export function clusterApi(config: KubeConfig, signal: AbortSignal): ClusterApi {
  const server = new URL(config.getCurrentCluster()?.server ?? "");
  const call = async (method: string, path: string, body?: unknown, contentType = "application/json") => {
    const options: RequestOptions = { method, agent: false };
    try {
      // Somebody may have to log in for it: as long as that takes, and no longer than until he gives up.
      await unlessAborted(config.applyToHTTPSOptions(options), signal);
      options.signal = AbortSignal.any([signal, limit()]);
      const url = new URL(`${server.pathname.replace(/\/$/, "")}${path}`, server);
      return await exchange(url, options, body === undefined ? undefined : JSON.stringify(body), contentType);
    } catch (cause) {
      if (cause instanceof TrustKernError) throw cause;
      if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted; what was applied stays");
      throw kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", `${server.origin} does not answer: ${reasonOf(cause)}`, {
        path: server.origin,
        cause,
      });
    }
  };
  const ask: ClusterApi["ask"] = async (method, path, body, contentType) => {
    const { status, text } = await call(method, path, body, contentType);
    return { status, body: jsonOf(text) };
  };
  const get: ClusterApi["get"] = async (path) => {
    const answer = await ask("GET", path);
    return answer.status === 404 ? undefined : (accepted(answer, `read ${path}`) as LiveObject);
  };
  return {
    ask,
    get,
    list: async (path, labels = {}) => {
      const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const found: LiveObject[] = [];
      for (let next: string | undefined = ""; next !== undefined; ) {
        const query: URLSearchParams = new URLSearchParams({ limit: "500" });
        if (selector.length > 0) query.set("labelSelector", selector.join(","));
        if (next !== "") query.set("continue", next);
        const page = accepted(await ask("GET", `${path}?${query}`), `list ${path}`) as Page;
        const kind = page.kind.replace(/List$/, "");
        // Items of a list say neither their kind nor its version.
        found.push(...page.items.map((item) => ({ ...item, apiVersion: page.apiVersion, kind })));
        next = page.metadata.continue || undefined;
      }
      return found;
    },
    apply: async (object, { dryRun = false, fieldManager = FIELD_MANAGER } = {}) => {
      const query = new URLSearchParams({ fieldManager, force: "true", fieldValidation: "Strict" });
      if (dryRun) query.set("dryRun", "All");
      const path = `${objectPath(object)}?${query}`;
      const what = `${object.kind} ${object.metadata.name}`;
      const { status, body } = await ask("PATCH", path, object, "application/apply-patch+yaml");
      return accepted({ status, body: withoutSecrets(body, status, object) }, what) as LiveObject;
    },
    read: async (path) => {
      const { status, text } = await call("GET", path);
      if (status >= 200 && status < 300) return text;
      throw refusedAs(status, jsonOf(text), `read ${path.split("?")[0]}`);
    },
    replace: async (object) => {
      const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: "Strict" });
      const what = `${object.kind} ${object.metadata.name}`;
      return accepted(await ask("PUT", `${objectPath(object)}?${query}`, object), what) as LiveObject;
    },
    remove: async (path, uid) => {
      const only = uid === undefined ? {} : { preconditions: { uid } };
      const answer = await ask("DELETE", path, { propagationPolicy: "Background", ...only });
      if (answer.status === 404 || (uid !== undefined && answer.status === 409)) return false;
      accepted(answer, `delete ${path}`);
      return true;
    },
  };
}

interface Page {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly continue?: string };
  readonly items: readonly LiveObject[];
}

/** What the API server says why it does not do something (Kubernetes API, Status). */
interface Refusal {
  readonly message?: string;
  readonly reason?: string;
}

/**
 * What the API server answered, where that is what was asked for.
 * @param what was asked, for the error
 * @throws CLUSTER_UNREACHABLE, CLUSTER_DENIED, CLUSTER_REJECTED
 */
export function accepted({ status, body }: ApiAnswer, what: string): unknown {
  if (status >= 200 && status < 300) return body;
  throw refusedAs(status, body, what);
}

function refusedAs(status: number, body: unknown, what: string): TrustKernError {
  const { message = `HTTP ${status}`, reason = "" } = (body ?? {}) as Refusal;
  if (status === 401) {
    return kubernetesLifeErrors.error("CLUSTER_DENIED", `${what}: the cluster does not know this user: ${message}`, {
      path: what,
      fix: "log in again, or mend the user in the kubeconfig: kubectl auth whoami with the same KUBECONFIG says who asks",
    });
  }
  // PodSecurity, quotas and admission policies say Forbidden too: that is about the object, and not about who asks.
  if (status === 403 && / cannot [a-z]+ (?:resource|path) /.test(message)) {
    return kubernetesLifeErrors.error("CLUSTER_DENIED", `${what}: ${message}`, { path: what });
  }
  if (status === 429 || status >= 500) {
    return kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", `${what}: HTTP ${status}: ${message}`, { path: what });
  }
  return kubernetesLifeErrors.error("CLUSTER_REJECTED", `${what}: ${reason === "" ? "" : `${reason}: `}${message}`, {
    path: what,
  });
}

function exchange(
  url: URL,
  options: RequestOptions,
  body: string | undefined,
  contentType: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    // With DELETE, Node.js gives a body no length by itself, and the server would not see it.
    const described = body && { "content-type": contentType, "content-length": Buffer.byteLength(body) };
    const headers = { ...options.headers, accept: "application/json, */*", ...described };
    const call = request(url, { ...options, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** What is no JSON is the word of something before the API server: it is shown as it is. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

async function unlessAborted(done: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    await Promise.race([done, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function limit(): AbortSignal {
  return AbortSignal.timeout(ANSWER_MS);
}

function reasonOf(cause: unknown): string {
  const { code, errors } = (cause ?? {}) as { readonly code?: string; readonly errors?: readonly unknown[] };
  if (errors !== undefined && errors.length > 0) return errors.map(messageOf).join("; ");
  return code === undefined ? messageOf(cause) : `${code}: ${messageOf(cause)}`;
}
