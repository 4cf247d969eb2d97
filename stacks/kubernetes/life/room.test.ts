import { describe, expect, it } from "vitest";
import type { LiveObject } from "./api.ts";
import { askedFor, quotaFindings, roomFindings } from "./room.ts";
import { tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const live = (kind: string, name: string, more: object): LiveObject =>
  ({ apiVersion: "v1", kind, metadata: { name }, ...more }) as LiveObject;
const quota = (hard: Readonly<Record<string, string>>) => [live("ResourceQuota", "small", { spec: { hard } })];
const node = (name: string, allocatable?: object) => live("Node", name, { status: { allocatable } });
const codesOf = (found: readonly { code: string; path: string }[]) => found.map(({ code, path }) => `${code} ${path}`);

/** Two pods of one container, each with a claim. */
const two = {
  pods: [{ name: "x", maxReplicas: 2 }],
  objects: [
    live("ConfigMap", "x", { data: {} }),
    live("StatefulSet", "x", {
      spec: {
        template: {
          spec: {
            containers: [
              { resources: { requests: { cpu: "250m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } } },
              {},
            ],
          },
        },
        volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "2Gi" } } } }],
      },
    }),
  ],
} as never;

describe("what a deployment asks for", () => {
  it("counts each pod as often as it may run, with its containers and claims", () => {
    expect(Object.fromEntries(askedFor(two))).toEqual({
      ...{ pods: 2, cpu: 0.5, "requests.cpu": 0.5, "limits.cpu": 2, persistentvolumeclaims: 2 },
      ...{ memory: 2 ** 28, "requests.memory": 2 ** 28, "limits.memory": 2 ** 29, "requests.storage": 2 ** 32 },
    });
  });

  it("has the most collectors in it that may run, and not the fewest", () => {
    const more = {
      ...plan,
      pods: plan.pods.map((pod) => (pod.name === "collector" ? { ...pod, maxReplicas: 9 } : pod)),
    };
    expect((askedFor(more).get("pods") ?? 0) - (askedFor(plan).get("pods") ?? 0)).toBe(6);
  });
});

describe("a quota", () => {
  const exact = Object.fromEntries([...askedFor(plan)].map(([name, amount]) => [name, String(amount)]));

  it("may be exactly what is asked for", () => {
    expect(quotaFindings(quota(exact), plan)).toEqual([]);
  });

  it.each([...askedFor(plan).keys()])("of %s that is a little less is refused, with both amounts", (name) => {
    const less = String((askedFor(plan).get(name) ?? 0) - 0.5);
    const found = quotaFindings(quota({ ...exact, [name]: less }), plan);
    expect(codesOf(found)).toEqual([`CLUSTER_QUOTA resourcequotas.small.${name}`]);
    expect(found[0]?.message).toContain(`of ${name}, and the quota has ${less}`);
  });

  it("of something else says nothing of the deployment", () => {
    expect(quotaFindings(quota({ "count/gadgets": "0", "requests.nvidia.com/gpu": "0" }), plan)).toEqual([]);
    expect(quotaFindings([live("ResourceQuota", "bare", {})], plan)).toEqual([]);
  });

  it("of which there are several is looked at each", () => {
    const several = [...quota({ pods: "1" }), ...quota({ "requests.storage": "1Mi" })];
    expect(quotaFindings(several, plan).map(({ message }) => message)).toEqual([
      expect.stringMatching(/of pods, and the quota has 1$/),
      expect.stringMatching(/asks for \d+Mi of requests\.storage, and the quota has 1Mi$/),
    ]);
  });
});

describe("nodes", () => {
  it("are counted together", () => {
    const half = { cpu: "8", memory: "32Gi" };
    expect(roomFindings([node("a", half), node("b", half)], plan)).toEqual([]);
  });

  it.each<readonly [string, readonly LiveObject[], readonly string[]]>([
    ["with too few processors", [node("a", { cpu: "1", memory: "64Gi" })], ["CLUSTER_QUOTA nodes.cpu"]],
    ["with too little memory", [node("a", { cpu: "64", memory: "1Gi" })], ["CLUSTER_QUOTA nodes.memory"]],
    ["that say nothing of themselves", [node("a")], ["CLUSTER_QUOTA nodes.cpu", "CLUSTER_QUOTA nodes.memory"]],
    ["that are none", [], ["CLUSTER_QUOTA nodes.cpu", "CLUSTER_QUOTA nodes.memory"]],
  ])("%s are refused", (_, nodes, codes) => {
    expect(codesOf(roomFindings(nodes, plan))).toEqual(codes);
  });
});
