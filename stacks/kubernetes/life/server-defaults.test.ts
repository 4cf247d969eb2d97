import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutDefaults } from "./server-defaults.ts";
import { tenantPlan } from "./test-cluster.ts";

const { plan } = tenantPlan();
const workload = plan.objects.find(({ kind }) => kind === "StatefulSet") as never as Workload;

interface Workload {
  readonly kind: string;
  metadata: Record<string, unknown>;
  spec: { template: { spec: { containers: Record<string, unknown>[] } & Record<string, unknown> } } & Record<
    string,
    unknown
  >;
}

/** The object as a server gives it back, which fills in what nobody has said. */
function stored(): Workload {
  const live = structuredClone(workload);
  Object.assign(live.metadata, {
    uid: "u",
    resourceVersion: "7",
    generation: 2,
    creationTimestamp: "2026-01-01T00:00:00Z",
  });
  Object.assign(live, { status: { replicas: 1 } });
  Object.assign(live.spec.template.spec, { dnsPolicy: "ClusterFirst", schedulerName: "default-scheduler" });
  for (const container of live.spec.template.spec.containers) {
    container.terminationMessagePath = "/dev/termination-log";
  }
  return live;
}

describe("an object of the cluster without what the server fills in", () => {
  it("is the one that was applied", () => {
    expect(withoutDefaults(stored(), workload)).toEqual(workload);
  });

  it.each<readonly [string, (live: Workload) => void]>([
    ["another name server", (live) => (live.spec.template.spec.dnsPolicy = "None")],
    ["another scheduler", (live) => (live.spec.template.spec.schedulerName = "mine")],
    ["the network of its node", (live) => (live.spec.template.spec.hostNetwork = true)],
    ["a container more", (live) => live.spec.template.spec.containers.push({ name: "sidecar", image: "x" })],
    ["an init container", (live) => (live.spec.template.spec.initContainers = [{ name: "first" }])],
    [
      "a message elsewhere",
      (live) => Object.assign(live.spec.template.spec.containers[0] ?? {}, { terminationMessagePath: "/data" }),
    ],
    [
      "a variable",
      (live) =>
        Object.assign(live.spec.template.spec.containers[0] ?? {}, { envFrom: [{ secretRef: { name: "custody" } }] }),
    ],
    ["an annotation of its own", (live) => (live.metadata.annotations = { "injector.example/enabled": "true" })],
  ])("keeps %s", (_, change) => {
    const live = stored();
    change(live);
    expect(withoutDefaults(live, workload)).not.toEqual(workload);
  });

  it("keeps any member that nobody has said and that is no default", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-zA-Z]{2,12}$/), fc.jsonValue(), (name, value) => {
        fc.pre(!["status", "spec", "kind", "metadata", "serviceAccount"].includes(name));
        const live = stored();
        const { spec } = live.spec.template;
        fc.pre(!Object.hasOwn(spec, name));
        spec[name] = value;
        expect(withoutDefaults(live, workload)).not.toEqual(workload);
      }),
    );
  });
});
