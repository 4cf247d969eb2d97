import * as client from "@kubernetes/client-node";

// A reading of resources as objects that shares nothing with what renders them: what a member is called and of which type comes from
// the classes of the client, which are made from the OpenAPI description of Kubernetes.

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

type Values = Readonly<Record<string, unknown>>;

/** API group of each kind that a resource may be of. */
const GROUPS: Readonly<Record<string, string>> = {
  Namespace: "v1",
  ServiceAccount: "v1",
  ConfigMap: "v1",
  Service: "v1",
  NetworkPolicy: "networking.k8s.io/v1",
  StatefulSet: "apps/v1",
  Deployment: "apps/v1",
  Job: "batch/v1",
  PodDisruptionBudget: "policy/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
};

/** What a resource has for Terraform, and no object has: meta-arguments, and whether an apply waits. */
const FOR_TERRAFORM = /^(?:\/\/|depends_on|lifecycle|wait_for_[a-z_]+)$/;

/** For tests: what a resource has for Terraform alone. */
export function forTerraform(resource: Values): Values {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => FOR_TERRAFORM.test(name) && name !== "//"));
}

/** For tests: the object that a resource stands for, as the provider makes it. Throws for what it cannot be. */
export function readObject(type: string, resource: Values): Values {
  const [, words = "", version = ""] = /^kubernetes_([a-z_]+)_(v\d)$/.exec(type) ?? [];
  const kind = words.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const apiVersion = GROUPS[kind];
  if (apiVersion === undefined || !apiVersion.endsWith(version)) throw new Error(`${type} is of no kind of ours`);
  const members = Object.fromEntries(Object.entries(resource).filter(([name]) => !FOR_TERRAFORM.test(name)));
  return { apiVersion, kind, ...(read(members, `${version.toUpperCase()}${kind}`, type) as Values) };
}

function read(value: unknown, type: string, path: string): unknown {
  const list = /^(?:Array|Set)<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) throw new Error(`${path} is no list`);
    return value.map((each, index) => read(each, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: string; \}$/.test(type);
  if (map)
    return Object.fromEntries(Object.entries(valuesOf(value, path)).map(([k, v]) => [text(k, path), text(v, path)]));
  if (type === "string") return text(value, path);
  if (type === "boolean") {
    if (typeof value !== "boolean") throw new Error(`${path} is no boolean`);
    return value;
  }
  if (type === "number") return numberOf(value, path);
  if (type === "IntOrString") return typeof value === "string" && !/^\d+$/.test(value) ? value : numberOf(value, path);
  return ofClass(value, type, path);
}

function ofClass(value: unknown, type: string, path: string): Values {
  const attributes = attributesOf(type);
  if (attributes === undefined) throw new Error(`${path} is of the type ${type}, which is not known`);
  // A block that may be there once, in either of the forms that Terraform takes.
  if (Array.isArray(value) && value.length !== 1) throw new Error(`${path} is there ${value.length} times`);
  const members = Object.entries(valuesOf(Array.isArray(value) ? value[0] : value, path)).map(([name, each]) => {
    const attribute = attributes.find((known) => isCalled(name, known));
    if (attribute === undefined) throw new Error(`${path}.${name} is nothing of ${type}`);
    return [attribute.baseName, read(each, attribute.type, `${path}.${name}`)] as const;
  });
  const claim = type === "V1PersistentVolumeClaim" ? { apiVersion: "v1", kind: "PersistentVolumeClaim" } : {};
  return { ...claim, ...Object.fromEntries(members) };
}

/** Whether the provider calls an attribute so: with `_` for capitals, and what is there several times as a block, by one of it. */
function isCalled(name: string, { baseName, type }: Attribute): boolean {
  const plain = name.replaceAll("_", "");
  const known = baseName.toLowerCase();
  if (plain === known) return true;
  return type.startsWith("Array<") && [`${plain}s`, plain.replace(/y$/, "ies")].includes(known);
}

function attributesOf(type: string): readonly Attribute[] | undefined {
  const found: unknown = Reflect.get(client, type);
  return typeof found === "function" && "attributeTypeMap" in found
    ? (found.attributeTypeMap as Attribute[])
    : undefined;
}

function valuesOf(value: unknown, path: string): Values {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${path} is no object`);
  return value as Values;
}

/** A text as Terraform works it out, which has to come to itself. */
function text(value: unknown, path: string): string {
  if (typeof value !== "string") throw new Error(`${path} is no text`);
  let said = "";
  for (let at = 0; at < value.length; at += 1) {
    const [first, second, third] = [value[at], value[at + 1], value[at + 2]];
    if (first !== "$" && first !== "%") said += first;
    else if (second === "{") throw new Error(`${path} has an expression`);
    else if (second === first && third === "{") {
      said += `${first}{`;
      at += 2;
    } else said += first;
  }
  return said;
}

/** A number, or its digits: those of a file's mode begin with 0, and are octal. */
function numberOf(value: unknown, path: string): number {
  if (typeof value === "number") {
    if (/mode$/.test(path)) throw new Error(`${path} is a mode that is no text`);
    return value;
  }
  if (typeof value === "string" && /^0[0-7]+$/.test(value) && /mode$/.test(path)) return Number.parseInt(value, 8);
  if (typeof value === "string" && /^(?:0|[1-9]\d*)$/.test(value) && !/mode$/.test(path)) return Number(value);
  throw new Error(`${path} is no number`);
}
