import { output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../../model/findings.ts";
import { clusterArgs, planCluster } from "../../../test/support/pulumi.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import type { PlannedObject } from "../planned-object.ts";
import type { Transform } from "../transform.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into inputs as a program without types could
type Loose = any;

const args = clusterArgs(KUBERNETES_FILES["eu-hosted"]);
const plan = (transform: unknown) => planCluster({ ...args, transform: transform as Transform });
const { objects: plain } = planCluster(args);

function refused(transform: unknown) {
  try {
    plan(transform);
  } catch (thrown) {
    const findings = findingsOf(thrown).map(({ code, path }) => ({ code, path }));
    return { code: (thrown as { code: string }).code, findings };
  }
  return { code: "none", findings: [] };
}

/** A transform that changes a copy of one object. */
const editing =
  (id: string, edit: (inputs: Loose) => unknown): Transform =>
  (object) => {
    if (`${object.kind}/${object.name}` !== id) return undefined;
    const copy = structuredClone({ ...object }) as Loose;
    edit(copy.inputs);
    return copy;
  };

const pod = (inputs: Loose) => inputs.spec.template.spec;
const box = (inputs: Loose) => pod(inputs).containers[0];
const COLLECTOR = "StatefulSet/collector";
const POLICY = "NetworkPolicy/collector.database.postgres.egress";
const TEMPLATE = `${COLLECTOR}.spec.template.spec`;

const WEAKENINGS: readonly (readonly [string, string, string, string, (inputs: Loose) => unknown])[] = [
  [
    "root",
    "OBJECT_SECURITY",
    COLLECTOR,
    `${TEMPLATE}.securityContext.runAsUser`,
    (i) => (pod(i).securityContext.runAsUser = 0),
  ],
  [
    "no context of a pod",
    "OBJECT_SECURITY",
    COLLECTOR,
    `${TEMPLATE}.securityContext`,
    (i) => delete pod(i).securityContext,
  ],
  [
    "no context of a container",
    "OBJECT_SECURITY",
    COLLECTOR,
    `${TEMPLATE}.containers[0].securityContext`,
    (i) => delete box(i).securityContext,
  ],
  [
    "privileges",
    "OBJECT_SECURITY",
    COLLECTOR,
    `${TEMPLATE}.containers[0].securityContext.privileged`,
    (i) => (box(i).securityContext.privileged = true),
  ],
  [
    "a capability",
    "OBJECT_SECURITY",
    COLLECTOR,
    `${TEMPLATE}.containers[0].securityContext.capabilities.add`,
    (i) => (box(i).securityContext.capabilities.add = ["NET_RAW"]),
  ],
  ["the node's network", "OBJECT_SECURITY", COLLECTOR, `${TEMPLATE}.hostNetwork`, (i) => (pod(i).hostNetwork = true)],
  [
    "a folder of the node",
    "OBJECT_MOUNT",
    COLLECTOR,
    `${TEMPLATE}.volumes[3]`,
    (i) => pod(i).volumes.push({ name: "host", hostPath: { path: "/" } }),
  ],
  [
    "a folder of the node under another's name",
    "OBJECT_MOUNT",
    COLLECTOR,
    `${TEMPLATE}.volumes[0].hostPath`,
    (i) => (pod(i).volumes[0].hostPath = { path: "/" }),
  ],
  [
    "another's Secret",
    "OBJECT_MOUNT",
    COLLECTOR,
    `${TEMPLATE}.volumes[1].secret.secretName`,
    (i) => (pod(i).volumes.find((v: Loose) => v.secret).secret.secretName = "custody"),
  ],
  [
    "a token",
    "OBJECT_TOKEN",
    COLLECTOR,
    `${TEMPLATE}.automountServiceAccountToken`,
    (i) => (pod(i).automountServiceAccountToken = true),
  ],
  [
    "a token by the account",
    "OBJECT_TOKEN",
    "ServiceAccount/collector",
    "ServiceAccount/collector.automountServiceAccountToken",
    (i) => (i.automountServiceAccountToken = true),
  ],
  [
    "another's account",
    "OBJECT_TOKEN",
    COLLECTOR,
    `${TEMPLATE}.serviceAccountName`,
    (i) => (pod(i).serviceAccountName = "custody"),
  ],
  [
    "a container more",
    "OBJECT_MEMBER",
    COLLECTOR,
    `${TEMPLATE}.containers[1]`,
    (i) => pod(i).containers.push({ name: "x", image: "evil.example/x" }),
  ],
  [
    "one before it starts",
    "OBJECT_COMMAND",
    COLLECTOR,
    `${TEMPLATE}.initContainers`,
    (i) => (pod(i).initContainers = [{ name: "x" }]),
  ],
  [
    "another image",
    "OBJECT_IMAGE",
    COLLECTOR,
    `${TEMPLATE}.containers[0].image`,
    (i) => (box(i).image = "evil.example/x:1"),
  ],
  [
    "another program",
    "OBJECT_COMMAND",
    COLLECTOR,
    `${TEMPLATE}.containers[0].command[0]`,
    (i) => (box(i).command[0] = "/bin/sh"),
  ],
  [
    "a variable",
    "OBJECT_COMMAND",
    COLLECTOR,
    `${TEMPLATE}.containers[0].env`,
    (i) => (box(i).env = [{ name: "NODE_OPTIONS", value: "--inspect" }]),
  ],
  [
    "no readiness",
    "OBJECT_HEALTH",
    COLLECTOR,
    `${TEMPLATE}.containers[0].readinessProbe`,
    (i) => delete box(i).readinessProbe,
  ],
  ["no limits", "OBJECT_LIMIT", COLLECTOR, `${TEMPLATE}.containers[0].resources`, (i) => delete box(i).resources],
  ["a policy for everybody", "OBJECT_POLICY", POLICY, `${POLICY}.spec.egress[0].to`, (i) => delete i.spec.egress[0].to],
  [
    "a policy for every port",
    "OBJECT_POLICY",
    POLICY,
    `${POLICY}.spec.egress[0].ports`,
    (i) => delete i.spec.egress[0].ports,
  ],
  ["a rule more", "OBJECT_POLICY", POLICY, `${POLICY}.spec.egress[1]`, (i) => i.spec.egress.push({})],
  [
    "a policy of other pods",
    "OBJECT_POLICY",
    POLICY,
    `${POLICY}.spec.podSelector.matchLabels`,
    (i) => (i.spec.podSelector = {}),
  ],
  [
    "a default that allows",
    "OBJECT_POLICY",
    "NetworkPolicy/default-deny",
    "NetworkPolicy/default-deny.spec.egress",
    (i) => (i.spec.egress = [{}]),
  ],
  [
    "no denial of what comes in",
    "OBJECT_POLICY",
    "NetworkPolicy/default-deny",
    "NetworkPolicy/default-deny.spec.policyTypes[0]",
    (i) => (i.spec.policyTypes = ["Egress"]),
  ],
  [
    "PodSecurity baseline",
    "OBJECT_SECURITY",
    "Namespace/tk-demo",
    "Namespace/tk-demo.metadata.labels.pod-security.kubernetes.io/enforce",
    (i) => (i.metadata.labels["pod-security.kubernetes.io/enforce"] = "baseline"),
  ],
  [
    "another namespace",
    "OBJECT_MEMBER",
    COLLECTOR,
    `${COLLECTOR}.metadata.namespace`,
    (i) => (i.metadata.namespace = "default"),
  ],
  [
    "a finalizer",
    "OBJECT_MEMBER",
    COLLECTOR,
    `${COLLECTOR}.metadata.finalizers`,
    (i) => (i.metadata.finalizers = ["example.com/x"]),
  ],
  [
    "a port of every node",
    "OBJECT_SERVICE",
    "Service/database",
    "Service/database.spec.type",
    (i) => (i.spec.type = "NodePort"),
  ],
  [
    "a service of other pods",
    "OBJECT_SERVICE",
    "Service/broker",
    "Service/broker.spec.selector.trustkern.component",
    (i) => (i.spec.selector["trustkern.component"] = "simulator"),
  ],
  [
    "an annotation that a controller reads",
    "OBJECT_LABEL",
    "Service/broker-published",
    "Service/broker-published.metadata.annotations",
    (i) => (i.metadata.annotations = { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing" }),
  ],
  [
    "an annotation of the pod",
    "OBJECT_LABEL",
    COLLECTOR,
    `${COLLECTOR}.spec.template.metadata.annotations`,
    (i) => (i.spec.template.metadata.annotations = { "sidecar.istio.io/inject": "true" }),
  ],
  [
    "another order of Pulumi's",
    "OBJECT_LABEL",
    COLLECTOR,
    `${COLLECTOR}.metadata.annotations`,
    (i) => (i.metadata.annotations = { "pulumi.com/patchForce": "true" }),
  ],
  [
    "Pulumi's word for the pod",
    "OBJECT_LABEL",
    COLLECTOR,
    `${COLLECTOR}.spec.template.metadata.annotations`,
    (i) => (i.spec.template.metadata.annotations = { "pulumi.com/skipAwait": "true" }),
  ],
  [
    "a text as Pulumi's word",
    "OBJECT_LABEL",
    COLLECTOR,
    `${COLLECTOR}.metadata.annotations`,
    (i) => (i.metadata.annotations = { "pulumi.com/timeoutSeconds": "60; x" }),
  ],
  [
    "another number of pods",
    "OBJECT_RUNNING",
    "StatefulSet/custody",
    "StatefulSet/custody.spec.replicas",
    (i) => (i.spec.replicas = 2),
  ],
  [
    "claims that go with it",
    "OBJECT_RUNNING",
    COLLECTOR,
    `${COLLECTOR}.spec.persistentVolumeClaimRetentionPolicy.whenDeleted`,
    (i) => (i.spec.persistentVolumeClaimRetentionPolicy.whenDeleted = "Delete"),
  ],
  [
    "more at a time",
    "OBJECT_RUNNING",
    "PodDisruptionBudget/collector",
    "PodDisruptionBudget/collector.spec.maxUnavailable",
    (i) => (i.spec.maxUnavailable = "100%"),
  ],
  [
    "collectors without end",
    "OBJECT_RUNNING",
    "HorizontalPodAutoscaler/collector",
    "HorizontalPodAutoscaler/collector.spec.maxReplicas",
    (i) => (i.spec.maxReplicas = 100),
  ],
  ["what its name is of", "OBJECT_KIND", COLLECTOR, COLLECTOR, (i) => (i.metadata.name = "other")],
  ["no name at all", "OBJECT_SHAPE", COLLECTOR, COLLECTOR, (i) => delete i.metadata],
  ["another's name", "OBJECT_KIND", COLLECTOR, "StatefulSet/custody", (i) => (i.metadata.name = "custody")],
  ["a Secret", "OBJECT_SECRET", "ServiceAccount/collector", "Secret/collector", (i) => (i.kind = "Secret")],
  ["another version", "OBJECT_MEMBER", COLLECTOR, `${COLLECTOR}.apiVersion`, (i) => (i.apiVersion = "apps/v1beta1")],
];

const name = (what: string) =>
  plain.find(({ kind, name: found }) => kind === "ConfigMap" && found.startsWith(what))?.name;

describe("a transform is refused that gives", () => {
  it.each(WEAKENINGS)("%s", (_, code, id, path, edit) => {
    const result = refused(editing(id, edit));
    expect(result.code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(result.findings).toContainEqual({ code, path });
  });

  it("another configuration, or one that may change", () => {
    const id = `ConfigMap/${name("collector-")}`;
    const inputs: Loose = plain.find((object) => `${object.kind}/${object.name}` === id)?.inputs;
    const [key] = Object.keys(inputs.data);
    expect(refused(editing(id, (i) => (i.data[key ?? ""] += " "))).findings).toEqual([
      { code: "OBJECT_CONFIG", path: `${id}.data.${key}` },
    ]);
    expect(refused(editing(id, (i) => (i.immutable = false))).findings).toEqual([
      { code: "OBJECT_CONFIG", path: `${id}.immutable` },
    ]);
  });

  it("a key, without saying it", () => {
    const key = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
    const { code, findings } = refused(editing(COLLECTOR, (i) => (box(i).env = [{ name: "K", value: key }])));
    expect(code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(findings.map((each) => each.code)).toContain("OBJECT_SECRET");
    expect(() => plan(editing(COLLECTOR, (i) => (box(i).env = [{ name: "K", value: key }])))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("PRIVATE KEY") }),
    );
  });

  it("several of them, all in one report", () => {
    const { findings } = refused(((object: Loose) => {
      if (object.kind !== "NetworkPolicy") return undefined;
      return { ...object, inputs: { ...object.inputs, spec: { podSelector: {}, policyTypes: [] } } };
    }) as Transform);
    const policies = plain.filter(({ kind }) => kind === "NetworkPolicy");
    expect(new Set(findings.map(({ path }) => path.split(".spec")[0]))).toEqual(
      new Set(policies.map(({ name: found }) => `NetworkPolicy/${found}`)),
    );
  });
});

describe("a transform may", () => {
  const changed = (id: string, edit: (inputs: Loose) => unknown) =>
    plan(editing(id, edit)).objects.find((object) => `${object.kind}/${object.name}` === id)?.inputs as Loose;

  it("leave an object as it is, by giving back nothing or the object itself", () => {
    expect(plan(() => undefined).objects).toEqual(plain);
    expect(plan((object: PlannedObject) => object).objects).toEqual(plain);
  });

  it("say that Pulumi waits for nothing, or for how long, and nothing else changes", () => {
    const annotations = { "pulumi.com/skipAwait": "true", "pulumi.com/timeoutSeconds": "1800" };
    const { objects } = plan((object: Loose) => ({
      ...object,
      inputs: { ...object.inputs, metadata: { ...object.inputs.metadata, annotations } },
    }));
    for (const { inputs } of objects) expect((inputs as Loose).metadata.annotations).toEqual(annotations);
    const bare = objects.map(({ inputs }) =>
      JSON.parse(JSON.stringify(inputs, (key, value) => (key === "annotations" ? undefined : value))),
    );
    expect(bare).toEqual(plain.map(({ inputs }) => inputs));
  });

  it("give a container less", () => {
    const less = { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" };
    const inputs = changed(COLLECTOR, (i) => (box(i).resources = { requests: less, limits: { ...less } }));
    expect(box(inputs).resources).toEqual({ requests: less, limits: less });
  });

  it.each<[string, (resources: Loose) => unknown]>([
    ["more memory", (r) => (r.limits.memory = r.requests.memory = "64Gi")],
    ["more processors", (r) => (r.limits.cpu = r.requests.cpu = "64")],
    ["no memory at all", (r) => (r.limits.memory = r.requests.memory = "0Mi")],
    ["a limit above what is requested", (r) => (r.requests.memory = "1Mi")],
    ["no limit", (r) => delete r.limits],
    ["no limit of memory", (r) => delete r.limits.memory],
    ["a resource more", (r) => (r.limits["example.com/gpu"] = r.requests["example.com/gpu"] = "1")],
    ["a claim", (r) => (r.claims = [{ name: "gpu" }])],
    ["a number", (r) => (r.limits.cpu = r.requests.cpu = 1)],
    ["another form of a quantity", (r) => (r.limits.memory = r.requests.memory = "1e1")],
    ["thousandths of a byte", (r) => (r.limits.memory = r.requests.memory = "128m")],
    ["processors in mebibytes", (r) => (r.limits.cpu = r.requests.cpu = "1Mi")],
  ])("but not give %s", (_, edit) => {
    const { code, findings } = refused(editing(COLLECTOR, (i) => edit(box(i).resources)));
    expect(code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(findings.every((each) => each.path.startsWith(`${TEMPLATE}.containers[0].resources`))).toBe(true);
    expect(findings.map((each) => each.code)).toContain("OBJECT_LIMIT");
  });
});

describe("a transform that gives back no object", () => {
  it.each([
    ["another name", (object: Loose) => ({ ...object, name: "x" }), "StatefulSet/collector"],
    ["another kind", (object: Loose) => ({ ...object, kind: "Pod" }), "StatefulSet/collector"],
    ["no inputs", ({ kind, name: same }: Loose) => ({ kind, name: same }), "StatefulSet/collector"],
    ["options of Pulumi", (object: Loose) => ({ ...object, opts: { retainOnDelete: false } }), "StatefulSet/collector"],
  ])("%s", (_, transform, path) => {
    const { code, findings } = refused((object: Loose) =>
      object.name === "collector" && object.kind === "StatefulSet" ? transform(object) : undefined,
    );
    expect({ code, findings }).toEqual({ code: "PULUMI_TRANSFORM", findings: [{ code: "PULUMI_TRANSFORM", path }] });
  });

  it("but one with an Output, which nobody can check", () => {
    expect(refused(editing(COLLECTOR, () => undefined)).code).toBe("none");
    const transform = (object: Loose) =>
      object.kind === "StatefulSet" && object.name === "collector"
        ? { ...object, inputs: { ...object.inputs, spec: { ...object.inputs.spec, replicas: output(2) } } }
        : undefined;
    expect(refused(transform)).toEqual({
      code: "PULUMI_TRANSFORM",
      findings: [{ code: "PULUMI_VALUE_UNKNOWN", path: "StatefulSet/collector.spec.replicas" }],
    });
  });
});
