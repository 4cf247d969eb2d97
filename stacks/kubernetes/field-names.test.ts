import * as client from "@kubernetes/client-node";
import { expect, it } from "vitest";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "./test-deployments.ts";

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

/** Class of the client for each kind: it is made from the OpenAPI description of Kubernetes, and knows each member and its type. */
const CLASSES: Readonly<Record<string, string>> = {
  "v1 Namespace": "V1Namespace",
  "v1 ServiceAccount": "V1ServiceAccount",
  "v1 ConfigMap": "V1ConfigMap",
  "v1 Service": "V1Service",
  "networking.k8s.io/v1 NetworkPolicy": "V1NetworkPolicy",
  "apps/v1 StatefulSet": "V1StatefulSet",
  "apps/v1 Deployment": "V1Deployment",
  "batch/v1 Job": "V1Job",
  "policy/v1 PodDisruptionBudget": "V1PodDisruptionBudget",
  "autoscaling/v2 HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
};

function attributesOf(type: string): readonly Attribute[] | undefined {
  const found: unknown = Reflect.get(client, type);
  return typeof found === "function" && "attributeTypeMap" in found
    ? (found.attributeTypeMap as Attribute[])
    : undefined;
}

/** What is wrong with a value of a type, by its path: members that the type does not have, and values of another type. */
function mistakes(value: unknown, type: string, path: string): readonly string[] {
  const list = /^(?:Array|Set)<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((each, index) => mistakes(each, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (map !== undefined) {
    if (!isObject) return [`${path} is no map`];
    return Object.entries(value).flatMap(([key, each]) => mistakes(each, map, `${path}.${key}`));
  }
  if (type === "string" || type === "boolean" || type === "number")
    return typeof value === type ? [] : [`${path} is no ${type}`];
  if (type === "IntOrString")
    return ["number", "string"].includes(typeof value) ? [] : [`${path} is no number or text`];
  const attributes = attributesOf(type);
  if (attributes === undefined) return [`${path} is of the type ${type}, which is not known`];
  if (!isObject) return [`${path} is no object`];
  return Object.entries(value).flatMap(([key, member]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    return attribute === undefined ? [`${path}.${key} is unknown`] : mistakes(member, attribute.type, `${path}.${key}`);
  });
}

it.each(Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[])(
  "says only what the API of Kubernetes knows, each of its type, in profile %s",
  (profile) => {
    const { plan } = testPlan(deploymentOf(KUBERNETES_FILES[profile]));
    const found = plan.objects.flatMap((object) => {
      const type = CLASSES[`${object.apiVersion} ${object.kind}`] ?? "unknown";
      return mistakes(object, type, `${object.kind}/${object.metadata.name}`);
    });
    expect(found).toEqual([]);
  },
);

it("would see a member that is misspelt, one of another type, and one in another's place", () => {
  const pod = (spec: object) =>
    mistakes({ apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec }, "V1Pod", "pod");
  expect(pod({ container: [] })).toEqual(["pod.spec.container is unknown"]);
  expect(pod({ hostNetwork: "true" })).toEqual(["pod.spec.hostNetwork is no boolean"]);
  expect(pod({ containers: [{ name: "a", securityContext: { fsGroup: 1 } }] })).toEqual([
    "pod.spec.containers[0].securityContext.fsGroup is unknown",
  ]);
  expect(mistakes({ _from: [] }, "V1NetworkPolicyIngressRule", "rule")).toEqual(["rule._from is unknown"]);
});
