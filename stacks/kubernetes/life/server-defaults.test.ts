import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pod } from "../pods.ts";
import { podFindings } from "./expected-pod.ts";
import { withoutDefaults } from "./server-defaults.ts";
import { deployedCluster, tenantPlan } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";

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

describe("a pod", () => {
  const pod = plan.pods.find(({ name }) => name === "custody") as Pod;
  const found = (annotations: Record<string, string>) => {
    const made = madePod(deployedCluster({ plan }), plan, "custody-0");
    const live = { ...made, metadata: { ...made.metadata, annotations } } as never;
    return podFindings({ name: "custody-0", pod, live }, plan);
  };

  it("is as planned with what network plugins and admission say of what they did", () => {
    const said = ["cni.projectcalico.org/podIP", "k8s.v1.cni.cncf.io/network-status", "openshift.io/scc"];
    const ours = ["trustkern.secret-version", "kubectl.kubernetes.io/restartedAt"];
    expect(found(Object.fromEntries([...said, ...ours].map((key) => [key, "x"])))).toEqual([]);
  });

  it.each([
    ["a second network", "k8s.v1.cni.cncf.io/networks"],
    ["another first network", "v1.multus-cni.io/default-network"],
    ["an address of somebody's choice", "cni.projectcalico.org/ipAddrs"],
    ["a device", "io.kubernetes.cri-o.Devices"],
    ["no profile of AppArmor", "container.apparmor.security.beta.kubernetes.io/custody"],
    ["what nobody knows", "example.com/anything"],
  ])("is not, where an annotation asks for %s", (_, key) => {
    expect(found({ [key]: "x" })).toMatchObject([
      { path: expect.stringMatching(/^Pod\/custody-0\.metadata\.annotations/) },
    ]);
  });
});
