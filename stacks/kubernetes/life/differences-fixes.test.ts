import { describe, expect, it } from "vitest";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../test-deployments.ts";
import { type ApiObject, type ClusterApi, type LiveObject, objectPath } from "./api.ts";
import { applyObject } from "./apply.ts";
import { clusterDifferences } from "./differences.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { deployedCluster, type TestCluster } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";

const test = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));
const { namespace } = test.deployment.kubernetes;
// biome-ignore lint/suspicious/noExplicitAny: the changes reach into JSON as anybody with kubectl could
type Loose = any;

/** As server-side apply does it: what was applied is said, and what others have added stays. */
function serverSide(cluster: TestCluster): ClusterApi {
  return {
    ...cluster.api,
    apply: async (object) => {
      const live = merged(cluster.objects.get(objectPath(object)) ?? {}, JSON.parse(JSON.stringify(object)));
      cluster.objects.set(objectPath(object), live as LiveObject);
      return structuredClone(live) as LiveObject;
    },
  };
}

function merged(live: Loose, applied: Loose): Loose {
  if (Array.isArray(live) && Array.isArray(applied) && applied.every((each) => each?.name)) {
    const others = live.filter(({ name }) => applied.every((each) => each.name !== name));
    return [...applied.map((each) => merged(live.find(({ name }) => name === each.name) ?? {}, each)), ...others];
  }
  if (!isMembers(live) || !isMembers(applied)) return applied;
  const said = Object.entries(applied).map(([name, value]) => [name, merged((live as Loose)[name], value)]);
  return { ...live, ...Object.fromEntries(said) };
}

const isMembers = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const look = ({ api }: TestCluster) =>
  clusterDifferences({ api, plan: test.plan, model: test.model, options: test as never });

/** Does what a fix says, and nothing else. */
async function follow(cluster: TestCluster, fixes: readonly string[]): Promise<void> {
  for (const fix of fixes) {
    const [, kind, name, at] = /kubectl delete (\w+) (\S+) -n ([a-z0-9-]+)/.exec(fix) ?? [];
    if (kind !== undefined) {
      expect(at).toBe(namespace);
      const paths = [...cluster.objects].filter(
        ([, object]) => object.kind.toLowerCase() === kind && object.metadata.name === name,
      );
      expect(paths).toHaveLength(1);
      for (const [path] of paths) cluster.objects.delete(path);
    }
    const [, member, of, key = ""] = /kubectl (label|annotate) namespace (\S+) (\S+)- takes/.exec(fix) ?? [];
    if (of !== undefined) {
      cluster.edit(`/api/v1/namespaces/${of}`, (live: Loose) => {
        delete live.metadata[member === "label" ? "labels" : "annotations"][key];
        if (member === "annotate") delete live.metadata.annotations;
      });
    }
    expect(kind ?? of ?? /`trustkern deploy`/.exec(fix)).toBeTruthy();
  }
  if (fixes.some((fix) => fix.includes("trustkern deploy")))
    for (const object of test.plan.objects) await applyObject(serverSide(cluster), object);
}

const pathOf = (kind: string, pick: (object: Loose) => boolean = () => true): string => {
  const found = test.plan.objects.find((object) => object.kind === kind && pick(object));
  if (found === undefined) throw new TypeError(`no ${kind}`);
  return objectPath(found as ApiObject);
};

const SPEC: readonly (readonly [string, string, (live: Loose) => void])[] = [
  ["Service", "externalIPs", ({ spec }) => (spec.externalIPs = ["192.0.2.7"])],
  ["Service", "sessionAffinity", ({ spec }) => (spec.sessionAffinity = "ClientIP")],
  ["Service", "a selector", ({ spec }) => (spec.selector.app = "mine")],
  ["Service", "a port", ({ spec }) => spec.ports.push({ name: "more", port: 1, targetPort: 1, protocol: "TCP" })],
  ["Service", "a label with our word", ({ metadata }) => (metadata.labels["trustkern.mine"] = "x")],
  ["Service", "an address that never changes", ({ spec }) => (spec.clusterIP = "10.0.0.9")],
  ["ServiceAccount", "a token", (live) => (live.automountServiceAccountToken = true)],
  ["ServiceAccount", "secrets", (live) => (live.imagePullSecrets = [{ name: "x" }])],
  ["NetworkPolicy", "an opening", ({ spec }) => (spec.ingress = [{}])],
  ["NetworkPolicy", "a label with our word", ({ metadata }) => (metadata.labels["trustkern.mine"] = "x")],
  ["StatefulSet", "the node's network", ({ spec }) => (spec.template.spec.hostNetwork = true)],
  ["StatefulSet", "an owner", ({ metadata }) => (metadata.ownerReferences = [{ kind: "ConfigMap", uid: "u" }])],
  ["StatefulSet", "claims", ({ spec }) => (spec.volumeClaimTemplates[0].spec.storageClassName = "mine")],
  ["StatefulSet", "an order", ({ spec }) => (spec.podManagementPolicy = "Mine")],
  ["Job", "a pause", ({ spec }) => (spec.suspend = true)],
  ["ConfigMap", "a member", ({ data }) => (data.more = "x")],
  ["ConfigMap", "another label", ({ metadata }) => (metadata.labels["app.kubernetes.io/name"] = "x")],
  ["PodDisruptionBudget", "none at all", ({ spec }) => (spec.minAvailable = 0)],
  ["PodDisruptionBudget", "another label", ({ metadata }) => (metadata.labels["app.kubernetes.io/name"] = "x")],
  ["HorizontalPodAutoscaler", "a metric", ({ spec }) => spec.metrics.push({ type: "External" })],
  ["HorizontalPodAutoscaler", "a way up", ({ spec }) => (spec.behavior.scaleDown.tolerance = "0.5")],
  [
    "Namespace",
    "another version of PodSecurity",
    ({ metadata }) => (metadata.labels["pod-security.kubernetes.io/enforce-version"] = "v1.20"),
  ],
  [
    "Namespace",
    "a weaker label",
    ({ metadata }) => (metadata.labels["pod-security.kubernetes.io/enforce"] = "baseline"),
  ],
];

describe("the fix of each finding mends it", () => {
  it.each(SPEC)("%s: %s", async (kind, what, change) => {
    const cluster = deployedCluster(test);
    const pick = ({ spec }: Loose) =>
      kind === "StatefulSet"
        ? spec.volumeClaimTemplates.length > 0
        : what !== "an address that never changes" || spec.clusterIP === "None";
    const path = pathOf(kind, pick);
    cluster.edit(path, change as never);
    const findings = await look(cluster);
    expect(findings).not.toEqual([]);
    await follow(cluster, [...new Set(findings.map(({ fix }) => fix))]);
    expect(await look(cluster)).toEqual([]);
  });

  it.each([...new Set(test.plan.objects.map(({ kind }) => kind))].filter((kind) => kind !== "Namespace"))(
    "%s that is missing",
    async (kind) => {
      const cluster = deployedCluster(test);
      cluster.objects.delete(pathOf(kind));
      const findings = await look(cluster);
      expect(findings).toHaveLength(1);
      await follow(
        cluster,
        findings.map(({ fix }) => fix),
      );
      expect(await look(cluster)).toEqual([]);
    },
  );

  it("of a stranger, and of a pod", async () => {
    const cluster = deployedCluster(test);
    cluster.put({ apiVersion: "v1", kind: "Service", metadata: { name: "door", namespace } });
    cluster.put(madePod(cluster, test.plan, "backend-0", { spec: { hostNetwork: true } }));
    const findings = await look(cluster);
    expect(findings).toHaveLength(2);
    await follow(
      cluster,
      findings.map(({ fix }) => fix),
    );
    expect(await look(cluster)).toEqual([]);
  });

  it("never removes a namespace, nor a workload with its claims", async () => {
    const cluster = deployedCluster(test);
    cluster.edit(pathOf("Namespace"), ({ metadata }: Loose) => {
      metadata.labels.mine = "x";
      metadata.annotations = { theirs: "x" };
    });
    cluster.edit(
      pathOf("StatefulSet", ({ spec }) => spec.volumeClaimTemplates.length > 0),
      ({ spec }: Loose) => {
        spec.volumeClaimTemplates[0].spec.storageClassName = "mine";
      },
    );
    const fixes = (await look(cluster)).map(({ fix }) => fix);
    expect(fixes).toHaveLength(3);
    expect(fixes.filter((fix) => /delete namespace/.test(fix))).toEqual([]);
    expect(fixes.filter((fix) => /delete statefulset/.test(fix))).toEqual([
      expect.stringContaining("--cascade=orphan"),
    ]);
  });
});

describe("an object that is put back", () => {
  it("keeps what the server and controllers say of it", async () => {
    const cluster = deployedCluster(test);
    const path = pathOf("Service", ({ spec }) => spec.type === "LoadBalancer");
    cluster.edit(path, (live: Loose) => {
      Object.assign(live.spec, { externalIPs: ["192.0.2.7"], clusterIP: "10.0.0.7", healthCheckNodePort: 31_000 });
      live.spec.loadBalancerClass = "platform.example/nlb";
      live.spec.ports[0].nodePort = 30_001;
      live.metadata.finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
      live.status = { loadBalancer: { ingress: [{ ip: "192.0.2.80" }] } };
    });
    const planned = test.plan.objects.find((object) => objectPath(object as ApiObject) === path);
    await applyObject(serverSide(cluster), planned as never);
    const live = cluster.objects.get(path) as Loose;
    expect(live.spec).not.toHaveProperty("externalIPs");
    expect(live.spec).toMatchObject({ clusterIP: "10.0.0.7", healthCheckNodePort: 31_000 });
    expect(live.spec.loadBalancerClass).toBe("platform.example/nlb");
    expect(live.spec.ports[0].nodePort).toBe(30_001);
    expect(live.metadata.finalizers).toHaveLength(1);
    expect(live.status.loadBalancer.ingress).toHaveLength(1);
    expect(await look(cluster)).toEqual([]);
  });

  const rejected = (message: string) => kubernetesLifeErrors.error("CLUSTER_REJECTED", `Service backend: ${message}`);

  it("is put back once more where a controller was faster, and not for ever, and for no other reason", async () => {
    for (const [reason, until, tries] of [
      ["Conflict: modified", 2, 2],
      ["Conflict: modified", 99, 5],
      ["Invalid: no", 99, 1],
    ] as const) {
      const cluster = deployedCluster(test);
      const path = pathOf("Service");
      cluster.edit(path, ({ spec }: Loose) => (spec.externalIPs = ["192.0.2.7"]));
      const api = serverSide(cluster);
      let tried = 0;
      const contested: ClusterApi = {
        ...api,
        replace: async (object) => {
          tried += 1;
          if (tried < until) throw rejected(reason);
          return api.replace(object);
        },
      };
      const planned = test.plan.objects.find((object) => objectPath(object as ApiObject) === path);
      const applying = applyObject(contested, planned as never);
      if (until === 99) await expect(applying).rejects.toMatchObject({ code: "CLUSTER_REJECTED" });
      else await applying;
      expect(tried).toBe(tries);
    }
  });
});
