import { describe, expect, it } from "vitest";
import type { ClusterApi, LiveObject } from "../../../../stacks/kubernetes/life/api.ts";
import { unwellIn } from "../../data/unwell.ts";
import { seePods } from "./pods.ts";
import { ground } from "./test-observation.ts";

const { plan } = ground;
const components = plan.pods.flatMap((pod) => pod.components);

interface Change {
  readonly ready?: boolean;
  readonly id?: string;
  readonly startedAt?: string;
  readonly phase?: string;
  readonly ending?: boolean;
}

/** An API server whose pods of one component are otherwise. */
function serving(name = "", change: Change = {}): ClusterApi {
  const list = async (_: string, labels: Readonly<Record<string, string>> = {}): Promise<readonly LiveObject[]> => {
    const pod = plan.pods.find((each) => each.name === labels["trustkern.component"]);
    if (pod === undefined) throw new TypeError("nobody asks for that");
    const {
      ready = true,
      id = "c1",
      startedAt = "2026-01-01T00:00:00Z",
      phase,
      ending,
    } = pod.name === name ? change : {};
    const usual = pod.kind === "Job" ? "Succeeded" : "Running";
    return Array.from({ length: pod.replicas }, (_, ordinal) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `${pod.name}-${ordinal}`, ...(ending ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
      status: {
        phase: phase ?? usual,
        containerStatuses: pod.components.map((component) => ({
          ...{ name: component.name, ready, restartCount: 0, containerID: `${id}-${ordinal}` },
          state: { running: { startedAt } },
        })),
      },
    }));
  };
  return { list } as unknown as ClusterApi;
}
const see = (name?: string, change?: Change) => seePods(serving(name, change), plan);
const unwell = async (name: string, change: Change) =>
  unwellIn(components, (await see()).components, (await see(name, change)).components).map(
    ({ component, why }) => `${component} ${why}`,
  );

describe("the pods of a deployment", () => {
  it("are those that run, and every component is well, a job that is done too", async () => {
    const { pods, components: seen } = await see();
    expect(pods.map(({ name }) => name)).toEqual(
      plan.pods
        .filter(({ kind }) => kind !== "Job")
        .flatMap(({ name, replicas }) => Array.from({ length: replicas }, (_, at) => `${name}-${at}`)),
    );
    expect(new Set([...seen.values()].map(({ condition }) => condition))).toEqual(new Set(["healthy", "done"]));
    expect(await unwell("", {})).toEqual([]);
  });

  it.each<[string, Change, string]>([
    ["a container that is not ready", { ready: false }, "is starting since the search"],
    ["another container", { id: "c2" }, "is another container since the search"],
    ["another process", { startedAt: "2026-01-02T00:00:00Z" }, "was started anew during the search"],
  ])("tell of %s", async (_, change, why) => {
    expect(await unwell("broker", change)).toEqual([`broker ${why}`]);
  });

  it.each<[string, Change]>([
    ["waits", { phase: "Pending" }],
    ["is told to end", { ending: true }],
  ])("are not those of which one %s", async (_, change) => {
    const { pods } = await see("broker", change);
    expect(pods.some(({ name }) => name.startsWith("broker-"))).toBe(false);
  });
});
