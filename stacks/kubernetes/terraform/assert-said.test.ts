import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1/index.js";
import { TerraformResource } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TrustKernError } from "../../../shared/errors.ts";
import { jsonOf } from "../../cdktf/stack.ts";
import { KUBERNETES_PROVIDER, KubernetesStack } from "../cdktf.ts";
import type { PlannedObject } from "../objects.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../test-deployments.ts";
import { attributesOf } from "./attributes.ts";
import type { Loose } from "./test-equality.ts";

const { plan } = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));
const fresh = (): Loose[] => structuredClone(plan.objects) as Loose[];
const get = (objects: Loose[], kind: string, name: string): Loose =>
  objects.find((object) => object.kind === kind && object.metadata.name.replace(/-[0-9a-f]{10}$/, "") === name);

/** The JSON of objects, after an app has done something to their stack. */
function synth(objects: readonly PlannedObject[], after: (stack: KubernetesStack) => void = () => undefined): Loose {
  return jsonOf((scope) => {
    const stack = new KubernetesStack(scope, "demo", { plan: { objects, secrets: [] }, state: undefined });
    after(stack);
    return stack;
  });
}

function refusal(work: () => unknown): TrustKernError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof TrustKernError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}

const collector = (o: Loose[]): Loose => get(o, "StatefulSet", "collector").spec.template.spec;

/** What the provider has no word for, and the path that the error names. */
const WORDLESS: readonly (readonly [string, string, (o: Loose[]) => unknown])[] = [
  [
    "a member of a service",
    "kubernetes_service_v1.broker.spec.traffic_distribution",
    (o) => (get(o, "Service", "broker").spec.trafficDistribution = "PreferClose"),
  ],
  [
    "a member of a pod",
    "kubernetes_stateful_set_v1.collector.spec.template.spec.host_users",
    (o) => (collector(o).hostUsers = false),
  ],
  [
    "a member of a mount",
    "kubernetes_stateful_set_v1.collector.spec.template.spec.container[0].volume_mount[0].recursive_read_only",
    (o) => (collector(o).containers[0].volumeMounts[0].recursiveReadOnly = "Enabled"),
  ],
  [
    "a member of the object itself",
    "kubernetes_config_map_v1",
    (o) => (get(o, "ConfigMap", "collector").finalizers = ["x"]),
  ],
  [
    "a list of containers with another name",
    "kubernetes_stateful_set_v1.collector.spec.template.spec.init_containers",
    (o) => (collector(o).initContainers = [{ name: "x", image: "x" }]),
  ],
  [
    "the headers of a probe",
    "kubernetes_stateful_set_v1.collector.spec.template.spec.container[0].liveness_probe.http_get.http_headers",
    (o) => (collector(o).containers[0].livenessProbe = { httpGet: { httpHeaders: [{ name: "x", value: "y" }] } }),
  ],
  [
    "another policy for ill pods",
    "PodDisruptionBudget/broker.spec.unhealthyPodEvictionPolicy",
    (o) => (get(o, "PodDisruptionBudget", "broker").spec.unhealthyPodEvictionPolicy = "IfHealthyBudget"),
  ],
  [
    "a claim of another kind",
    "StatefulSet/broker.spec.volumeClaimTemplates.kind",
    (o) => (get(o, "StatefulSet", "broker").spec.volumeClaimTemplates[0].kind = "Claim"),
  ],
  ["nothing as a value", "Service/broker.spec.selector", (o) => (get(o, "Service", "broker").spec.selector = null)],
  [
    "a text that the library would put another in place of",
    "StatefulSet/collector.spec.template.spec.containers.command",
    (o) => (collector(o).containers[0].command[1] = ["$", "{TfToken[TOKEN.0]}"].join("")),
  ],
  [
    "an object as a label",
    "Service/broker.metadata.labels.x",
    (o) => (get(o, "Service", "broker").metadata.labels.x = { y: "z" }),
  ],
  ["a kind that has no resource", "Ingress/broker", (o) => (get(o, "Service", "broker").kind = "Ingress")],
  ["a Secret", "Secret/broker", (o) => (get(o, "Service", "broker").kind = "Secret")],
  ["another version of a kind", "Service/broker", (o) => (get(o, "Service", "broker").apiVersion = "v2")],
];

it.each(WORDLESS)("refuses %s", (_, path, change) => {
  const objects = fresh();
  change(objects);
  const { code, exit, path: at } = refusal(() => synth(objects));
  expect([code, exit]).toEqual(["KUBERNETES_TERRAFORM", 5]);
  expect(at).toContain(path);
});

it("refuses a member of any object that the provider does not know, wherever it stands", () => {
  const objectsIn = (value: Loose, inMap = false): Loose[] => {
    if (Array.isArray(value)) return value.flatMap((each) => objectsIn(each));
    if (typeof value !== "object" || value === null) return [];
    const inside = Object.entries(value).flatMap(([name, each]) =>
      objectsIn(each, /^(labels|annotations|matchLabels|data|limits|requests)$|^selector$/.test(name)),
    );
    return inMap ? inside : [value, ...inside];
  };
  // One of each kind: what a stack of all would take longer for says no more.
  const kinds = [...new Map(plan.objects.map((object) => [object.kind, object])).values()];
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.nat(), (object, seed) => {
      const other = structuredClone(object) as Loose;
      const places = objectsIn(other);
      places[seed % places.length].unknownToThem = "x";
      expect(refusal(() => synth([other])).code).toBe("KUBERNETES_TERRAFORM");
    }),
    { numRuns: 150 },
  );
});

describe("what an app does to the stack", () => {
  const resourceOf = (stack: KubernetesStack, id: string): TerraformResource =>
    stack.node.findChild(id) as TerraformResource;

  it.each([
    [
      "opens a policy",
      (stack: KubernetesStack) =>
        resourceOf(stack, "NetworkPolicy_default-deny").addOverride("spec.policy_types", ["Ingress"]),
    ],
    [
      "gives a pod a token",
      (stack: KubernetesStack) =>
        resourceOf(stack, "StatefulSet_collector").addOverride(
          "spec.template.spec.automount_service_account_token",
          true,
        ),
    ],
    [
      "weakens PodSecurity",
      (stack: KubernetesStack) =>
        resourceOf(stack, "Namespace_tk-demo").addOverride(
          "metadata.labels.pod-security\\.kubernetes\\.io/enforce",
          "baseline",
        ),
    ],
    ["adds a count", (stack: KubernetesStack) => resourceOf(stack, "StatefulSet_custody").addOverride("count", 0)],
    [
      "ignores changes",
      (stack: KubernetesStack) =>
        resourceOf(stack, "StatefulSet_custody").addOverride("lifecycle.ignore_changes", ["spec"]),
    ],
    ["takes a policy out", (stack: KubernetesStack) => stack.node.tryRemoveChild("NetworkPolicy_default-deny")],
    ["renames a resource", (stack: KubernetesStack) => resourceOf(stack, "Service_broker").overrideLogicalId("other")],
  ])("is refused where it %s", (_, change) => {
    expect(refusal(() => synth(plan.objects, change)).code).toBe("KUBERNETES_TERRAFORM");
  });

  it("is taken where it adds what is its own", () => {
    const stack = synth(plan.objects, (own) => {
      new ConfigMapV1(own, "notes", { metadata: { name: "notes", namespace: "elsewhere" }, data: { a: "b" } });
      own.addOverride("terraform.required_version", ">= 1.11");
    });
    expect(stack.resource.kubernetes_config_map_v1).toHaveProperty("notes");
  });
});

describe("a text", () => {
  const said = (text: string): unknown => {
    const object = structuredClone(get(fresh(), "ConfigMap", "collector"));
    object.data = { "a.txt": text };
    return (attributesOf(object, "snake_case").data as Loose)["a.txt"];
  };

  // Each was given to OpenTofu 1.12, which worked out the text on the left.
  it.each([
    [["$", "{a}"].join(""), "$${a}"],
    [["$$", "{a}"].join(""), ["$$$", "{a}"].join("")],
    ["%{ if x }", "%%{ if x }"],
    [["%$", "{"].join(""), "%$${"],
    ["$%{", "$%%{"],
    ["$ { 5$ % 100% $$ %%", "$ { 5$ % 100% $$ %%"],
  ])("%j is itself for Terraform", (text, expected) => {
    expect(said(text)).toBe(expected);
  });

  it("comes out of a stack as it went in", () => {
    const object = structuredClone(get(fresh(), "ConfigMap", "collector"));
    object.data = { "a.txt": ["$", "{a} %", "{b} \\u0000 \u2028 ü #", "{c}"].join("") };
    const stack = synth([object]);
    const [resource] = Object.values<Loose>(stack.resource.kubernetes_config_map_v1);
    expect(resource.data["a.txt"].replaceAll("$$", "$").replaceAll("%%", "%")).toBe(object.data["a.txt"]);
  });
});

it("asks for the release that the bindings were made from", () => {
  const stack = synth(plan.objects);
  expect(stack.terraform.required_providers).toEqual({ kubernetes: KUBERNETES_PROVIDER });
  const versions = new Set<unknown>();
  jsonOf((scope) => {
    const own = new KubernetesStack(scope, "demo", { plan: { objects: plan.objects, secrets: [] }, state: undefined });
    for (const child of own.node.children) {
      if (child instanceof TerraformResource) versions.add(child.terraformGeneratorMetadata?.providerVersion);
    }
    return own;
  });
  expect([...versions]).toEqual([KUBERNETES_PROVIDER.version]);
});
