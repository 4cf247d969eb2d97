import { describe, expect, it } from "vitest";
import type { ClusterApi, LiveObject } from "../../../../stacks/kubernetes/life/api.ts";
import { kubernetesLifeErrors } from "../../../../stacks/kubernetes/life/errors.ts";
import type { Place } from "../../search/place.ts";
import type { SeenPod } from "../running/observation.ts";
import { decodedOf, objectSources, podLogs } from "./cluster-places.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const object = (kind: string, more: object): LiveObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "x" },
  ...more,
});

/** An API server with these kinds, of which some may not be listed. */
function serving(kinds: Readonly<Record<string, readonly LiveObject[] | "denied">>, groups = 200): ClusterApi {
  const resources = [
    ...Object.keys(kinds).map((name) => ({ name, namespaced: true, verbs: ["get", "list"] })),
    { name: "nodes", namespaced: false, verbs: ["list"] },
    { name: "pods/log", namespaced: true, verbs: ["get"] },
    { name: "bindings", namespaced: true, verbs: ["create"] },
  ];
  const refuse = () => Promise.reject(new TypeError("nobody asks for that"));
  return {
    ask: async (_, path) =>
      path === "/apis"
        ? { status: groups, body: { groups: [{ preferredVersion: { groupVersion: "example.org/v1" } }] } }
        : { status: 200, body: { resources: path === "/api/v1" ? resources : [] } },
    list: async (path) => {
      const found = kinds[path.split("/").at(-1) ?? ""];
      if (found === undefined || found === "denied") throw kubernetesLifeErrors.error("CLUSTER_DENIED", `list ${path}`);
      return found;
    },
    ...{ get: refuse, apply: refuse, replace: refuse, remove: refuse, read: async (path) => path },
  };
}

async function searched(api: ClusterApi) {
  const [unread, places]: [string[], Place[]] = [[], []];
  for await (const place of objectSources(api, "ns").places(
    (what) => unread.push(what),
    () => undefined,
  ))
    places.push(place);
  return { unread, places };
}

describe("objects of a namespace", () => {
  it("are those of every kind that is in one, with what Secrets and ConfigMaps hold decoded", async () => {
    const secret = object("Secret", { data: { key: base64("plain") } });
    const map = object("ConfigMap", { data: { a: "b" }, binaryData: { bytes: base64("more") } });
    const { unread, places } = await searched(serving({ secrets: [secret], configmaps: [map], events: [] }));
    expect(unread).toEqual([]);
    expect(places.map(({ name }) => name)).toEqual(["Secret/x", "Secret/x: key", "ConfigMap/x", "ConfigMap/x: bytes"]);
    expect(String(places[1]?.content)).toBe("plain");
  });

  it("are not looked at where this user may not list them, and that is said", async () => {
    const { unread } = await searched(serving({ secrets: "denied" }));
    expect(unread).toEqual([expect.stringMatching(/^secrets: /)]);
  });

  it("are not all looked at where the API does not say what it has", async () => {
    expect((await searched(serving({ secrets: [] }, 403))).unread).toEqual([expect.stringContaining("HTTP 403")]);
  });

  it.each(["Pod", "Service"])("hold nothing in base64 as a %s", (kind) => {
    expect(decodedOf(object(kind, { data: { key: base64("x") } }))).toEqual([]);
  });
});

describe("logs", () => {
  const pod = (restartCount: number) =>
    ({
      name: "gw-01-0",
      live: {
        spec: { containers: [{ name: "gw-01" }], ephemeralContainers: [{ name: "debug" }] },
        status: { containerStatuses: [{ name: "gw-01", restartCount }] },
      },
    }) as unknown as SeenPod;
  const logs = async (restarts: number) => {
    const names: string[] = [];
    for (const { places } of podLogs(serving({}), "ns", [pod(restarts)], 0))
      for await (const place of places(
        () => undefined,
        () => undefined,
      ))
        names.push(`${place.name}: ${place.content}`);
    return names;
  };

  it("are of every container, also of one that somebody has put in", async () => {
    expect(await logs(0)).toEqual([
      "log of gw-01-0/gw-01: /api/v1/namespaces/ns/pods/gw-01-0/log?container=gw-01&sinceTime=1970-01-01T00%3A00%3A00.000Z",
      expect.stringContaining("container=debug"),
    ]);
  });

  it("are also of what a container wrote before it was started anew", async () => {
    expect(await logs(1)).toContainEqual(expect.stringMatching(/^earlier log of .*previous=true$/));
  });
});
