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

function podLabels(live: Workload): object {
  return (live.spec.template as never as { metadata: { labels: object } }).metadata.labels;
}

describe("an object of the cluster without what the server fills in", () => {
  it("is the one that was applied, however Argo CD, Flux and a platform have marked it", () => {
    const live = stored();
    live.metadata.annotations = { "argocd.argoproj.io/tracking-id": "plant-north:apps/StatefulSet:plant/broker" };
    Object.assign(live.metadata.labels ?? {}, {
      "kustomize.toolkit.fluxcd.io/name": "plant-north",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
      "example.com/cost-centre": "7",
    });
    expect(withoutDefaults(live, workload)).toEqual(workload);
  });

  it("keeps on a namespace what the plan says, and what PodSecurity goes by", () => {
    const planned = plan.objects.find(({ kind }) => kind === "Namespace") as never as Workload;
    const live = structuredClone(planned);
    Object.assign(live.metadata.labels ?? {}, { "kubernetes.io/metadata.name": "plant", "example.com/project": "p-1" });
    Object.assign(live.metadata.annotations ?? {}, { "example.com/project-id": "p-1" });
    expect(withoutDefaults(live, planned)).toEqual(planned);
    Object.assign(live.metadata.labels ?? {}, { "pod-security.kubernetes.io/enforce-version": "v1.20" });
    expect(withoutDefaults(live, planned)).not.toEqual(planned);
  });

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
    [
      "an annotation of the pods that it makes",
      (live) => {
        const { template } = live.spec as never as { template: { metadata: Record<string, unknown> } };
        template.metadata.annotations = { "injector.example/enabled": "true" };
      },
    ],
    ["a label with our word", (live) => Object.assign(live.metadata.labels ?? {}, { "trustkern.zone2": "edge" })],
    ["a label of the pods that it makes", (live) => Object.assign(podLabels(live), { "example.com/team": "north" })],
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
