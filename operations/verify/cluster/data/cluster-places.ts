import { messageOf } from "../../../../shared/errors.ts";
import type { ClusterApi, LiveObject } from "../../../../stacks/kubernetes/life/api.ts";
import type { Source } from "../../data/look.ts";
import { said } from "../../data/places/engine.ts";
import type { Place } from "../../search/place.ts";
import type { SeenPod } from "../running/observation.ts";

/** What each container of a pod wrote since, as its node keeps it; of one that was started anew also what it wrote before. */
export function podLogs(
  api: ClusterApi,
  namespace: string,
  pods: readonly SeenPod[],
  since: number,
): readonly Source[] {
  const sinceTime = encodeURIComponent(new Date(since).toISOString());
  return pods.flatMap(({ name: pod, live }) => {
    const { containers = [], initContainers = [], ephemeralContainers = [] } = live.spec ?? {};
    return [...containers, ...initContainers, ...ephemeralContainers].map(({ name }) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${name}&sinceTime=${sinceTime}`;
      const status = live.status?.containerStatuses?.find((one) => one.name === name);
      const before = (status?.restartCount ?? 0) > 0 ? [`${path}&previous=true`] : [];
      return said(`log of ${pod}/${name}`, async () => [
        [`log of ${pod}/${name}`, await api.read(path)],
        ...(await Promise.all(
          before.map(async (one) => [`earlier log of ${pod}/${name}`, await api.read(one)] as const),
        )),
      ]);
    });
  });
}

/** Every object of the namespace, of every kind that the API server has, with what Secrets and ConfigMaps hold decoded. */
export function objectSources(api: ClusterApi, namespace: string): Source {
  const places = async function* (onUnread: (what: string) => void): AsyncIterable<Place> {
    for (const root of await rootsOf(api, onUnread)) {
      for (const plural of await pluralsOf(api, root, onUnread)) {
        const path = `${root}/namespaces/${namespace}/${plural}`;
        const found = await api.list(path).catch((thrown: unknown) => {
          onUnread(`${plural}: ${messageOf(thrown)}`);
          return [];
        });
        for (const object of found) {
          const name = `${object.kind}/${object.metadata.name}`;
          yield { name, content: JSON.stringify(object) };
          for (const [key, content] of decodedOf(object)) yield { name: `${name}: ${key}`, content };
        }
      }
    }
  };
  return { name: "objects of the namespace", places };
}

/** Of each group of the API the version that the server prefers. */
async function rootsOf(api: ClusterApi, onUnread: (what: string) => void): Promise<readonly string[]> {
  const { status, body } = await api.ask("GET", "/apis");
  const { groups = [] } = (body ?? {}) as { readonly groups?: readonly Group[] };
  if (status !== 200) onUnread(`the groups of the API: HTTP ${status}`);
  return ["/api/v1", ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
}

interface Group {
  readonly preferredVersion: { readonly groupVersion: string };
}

/** Plural names of the kinds of a group that are in namespaces and can be listed. */
async function pluralsOf(api: ClusterApi, root: string, onUnread: (what: string) => void): Promise<readonly string[]> {
  const { status, body } = await api.ask("GET", root);
  const { resources = [] } = (body ?? {}) as { readonly resources?: readonly Resource[] };
  if (status !== 200) onUnread(`the kinds of ${root}: HTTP ${status}`);
  return resources
    .filter(({ name, namespaced, verbs = [] }) => namespaced && verbs.includes("list") && !name.includes("/"))
    .map(({ name }) => name);
}

interface Resource {
  readonly name: string;
  readonly namespaced: boolean;
  readonly verbs?: readonly string[];
}

/** What stands in an object in base64. */
export function decodedOf(object: LiveObject): readonly (readonly [key: string, bytes: Buffer])[] {
  const held = object.kind === "Secret" ? object.data : object.kind === "ConfigMap" ? object.binaryData : undefined;
  return Object.entries((held ?? {}) as Readonly<Record<string, string>>).map(([key, value]) => [
    key,
    Buffer.from(value, "base64"),
  ]);
}
