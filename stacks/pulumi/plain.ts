import type { Unwrap } from "@pulumi/pulumi";
import type { Finding } from "../../shared/finding.ts";
import { pulumiErrors } from "./errors.ts";

/** Inputs of a resource as plain data: every value is there to be read, and none of it can be changed. */
export type Plain<Inputs> = DeepReadonly<Unwrap<Inputs>>;

type DeepReadonly<T> = T extends object ? { readonly [Member in keyof T]: DeepReadonly<T[Member]> } : T;

const DEEPEST = 32;

/** A value as it was read, once, and what of it is not plain data. */
export interface PlainCopy {
  readonly value: unknown;
  readonly findings: readonly Finding[];
}

/**
 * A frozen copy of texts, numbers, truth values, lists and objects; members that are undefined are left out, as Pulumi does. Read
 * once: what is checked is what is used, whatever getters and proxies say the second time.
 */
export function plainCopy(value: unknown, path: string): PlainCopy {
  const findings: Finding[] = [];
  const copy = copyOf(value, path, findings, DEEPEST);
  return { value: copy, findings };
}

function copyOf(value: unknown, path: string, findings: Finding[], depth: number): unknown {
  if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "object" && depth === 0) return refuse(`nested deeper than ${DEEPEST} levels`, path, findings);
  if (Array.isArray(value)) {
    return Object.freeze(value.map((member, index) => copyOf(member, `${path}[${index}]`, findings, depth - 1)));
  }
  if (typeof value !== "object" || !isPlainObject(value)) return refuse(kindOf(value), path, findings);
  const members = Object.entries(value).map(([name, member]) => {
    return [name, copyOf(member, path === "" ? name : `${path}.${name}`, findings, depth - 1)] as const;
  });
  return Object.freeze(Object.fromEntries(members.filter(([, member]) => member !== undefined)));
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0;
}

function refuse(what: string, path: string, findings: Finding[]): undefined {
  const { fix } = pulumiErrors.entries.PULUMI_VALUE_UNKNOWN;
  const message = `is ${what}; accepted: texts, numbers, truth values, lists and objects of these`;
  findings.push({ code: "PULUMI_VALUE_UNKNOWN", path, message, fix });
  return undefined;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  if ("__pulumiOutput" in value) return "an Output, of which nobody knows yet what it will be";
  return value instanceof Promise ? "a Promise" : "an object of a class";
}
