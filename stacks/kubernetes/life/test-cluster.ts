import { deploymentOf, KUBERNETES_FILES, type TestPlan, testPlan } from "../test-deployments.ts";
import { type ApiAnswer, type ApiObject, type ClusterApi, type LiveObject, objectPath } from "./api.ts";

/** For tests: a cluster in memory, which takes objects as they are and answers as an API server does. */
export class TestCluster {
  readonly objects = new Map<string, LiveObject>();
  /** `METHOD path`, in order. */
  readonly asked: string[] = [];
  /** Answers to single requests, before all else, by `METHOD path` without a query. */
  readonly answers = new Map<string, ApiAnswer>();
  /** Members of an object's spec that are another manager's, by its path. */
  readonly added = new Map<string, object>();
  /** Rights that the user lacks, as `verb resource`. */
  readonly lacks = new Set<string>();
  version: Readonly<Record<string, string>> = { major: "1", minor: "34", gitVersion: "v1.34.1" };
  #next = 0;

  readonly api: ClusterApi = {
    ask: async (method, path, body) => this.#answer(method, path, body),
    read: async (path) => JSON.stringify(this.#answer("GET", path, undefined).body),
    get: async (path) => this.objects.get(path),
    list: async (path, labels = {}) =>
      [...this.objects]
        .filter(([at]) => at.startsWith(`${path}/`) && !at.slice(path.length + 1).includes("/"))
        .map(([, object]) => object)
        .filter(({ metadata }) => Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)),
    apply: async (object, { dryRun = false, fieldManager } = {}) => {
      const who = fieldManager === undefined ? "" : ` as ${fieldManager}`;
      this.asked.push(`${dryRun ? "DRYRUN" : "APPLY"} ${objectPath(object)}${who}`);
      const before = this.objects.get(objectPath(object));
      const whole = who === "" || before === undefined ? object : (mergeOf(before, object) as ApiObject);
      const live = this.#kept(this.#merged(whole));
      if (!dryRun) this.objects.set(objectPath(object), live);
      return live;
    },
    replace: async (object) => {
      this.asked.push(`PUT ${objectPath(object)}`);
      const live = this.#merged(object);
      this.objects.set(objectPath(object), live);
      return live;
    },
    remove: async (path, uid) => {
      this.asked.push(`DELETE ${path}`);
      if (uid !== undefined && this.objects.get(path)?.metadata.uid !== uid) return false;
      return this.objects.delete(path);
    },
  };

  /** Puts an object there, as somebody else has made it. */
  put(object: ApiObject & { readonly [member: string]: unknown }): void {
    this.objects.set(objectPath(object), this.#merged(object));
  }

  /** Changes an object that is there. */
  edit(path: string, change: (object: never) => void): void {
    const copy = structuredClone(this.objects.get(path));
    if (copy === undefined) throw new TypeError(`nothing is at ${path}`);
    change(copy as never);
    this.objects.set(path, copy);
  }

  #merged(object: ApiObject): LiveObject {
    const before = this.objects.get(objectPath(object));
    const metadata = {
      ...object.metadata,
      uid: before?.metadata.uid ?? `uid-${this.#next++}`,
      resourceVersion: before?.metadata.resourceVersion ?? String(this.#next++),
    };
    return structuredClone({ ...object, metadata }) as LiveObject;
  }

  /** What others have added to an object's spec, as server-side apply leaves it. */
  #kept(object: LiveObject): LiveObject {
    const spec = { ...this.added.get(objectPath(object)), ...(object.spec as object | undefined) };
    return Object.keys(spec).length === 0 ? object : { ...object, spec };
  }

  #answer(method: string, path: string, body: unknown): ApiAnswer {
    const [bare = ""] = path.split("?");
    this.asked.push(`${method} ${bare}`);
    const said = this.answers.get(`${method} ${bare}`);
    if (said !== undefined) return said;
    if (bare === "/version") return { status: 200, body: this.version };
    if (bare.endsWith("/selfsubjectaccessreviews")) {
      const { spec } = body as {
        spec: { resourceAttributes: { verb: string; resource: string; subresource?: string } };
      };
      const { verb, resource, subresource } = spec.resourceAttributes;
      const what = subresource === undefined ? resource : `${resource}/${subresource}`;
      return { status: 201, body: { status: { allowed: !this.lacks.has(`${verb} ${what}`) } } };
    }
    const items = [...this.objects].filter(([at]) => at.startsWith(`${bare}/`)).map(([, object]) => object);
    return { status: 200, body: { items } };
  }
}

/** What one manager says of an object, over what others have said. */
function mergeOf(before: unknown, said: unknown): unknown {
  if (!isMembers(before) || !isMembers(said)) return said;
  const merged = Object.entries(said).map(([name, value]) => [name, mergeOf(before[name], value)] as const);
  return { ...before, ...Object.fromEntries(merged) };
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** For tests: a cluster with room, and a storage class of its own. */
export function roomyCluster(): TestCluster {
  const cluster = new TestCluster();
  cluster.objects.set("/apis/storage.k8s.io/v1/storageclasses/fast", {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "fast", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  });
  cluster.objects.set("/api/v1/nodes/one", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "one" },
    status: { allocatable: { cpu: "16", memory: "64Gi" } },
  });
  return cluster;
}

/** For tests: the plan of the customer-tenant file. */
export function tenantPlan(): TestPlan {
  return testPlan(deploymentOf(KUBERNETES_FILES["customer-tenant"]));
}

/** For tests: a cluster that has what was planned. */
export function deployedCluster({ plan }: Pick<TestPlan, "plan">): TestCluster {
  const cluster = roomyCluster();
  for (const object of plan.objects) cluster.put(object as never);
  return cluster;
}
