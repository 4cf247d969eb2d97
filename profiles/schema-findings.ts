import type { z } from "zod";
import type { Finding } from "../shared/finding.ts";
import { looksLikeSecret } from "../shared/secret-text.ts";
import { profileErrors } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { deploymentJsonSchema, deploymentSchema, type SchemaNode } from "./schema.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the schema finds wrong with a value, each with its place in the text. */
export function schemaFindings(source: YamlSource): Finding[] {
  const parsed = deploymentSchema.safeParse(source.value);
  if (parsed.success) return [];
  const root = deploymentJsonSchema();
  return parsed.error.issues.flatMap((issue) => findingsOfIssue(issue, root, source));
}

function findingsOfIssue(issue: z.core.$ZodIssue, root: SchemaNode, source: YamlSource): Finding[] {
  const node = nodeAt(root, issue.path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, issue.path, node, source));
  const value = valueAt(source.value, issue.path);
  if (value !== undefined && !(value === null && issue.path.length === 0))
    return [wrongValue(value, issue.path, node, source)];
  return source.partial ? [] : [missing(issue.path, node, source)];
}

function unknownKey(key: string, path: readonly PropertyKey[], node: SchemaNode, source: YamlSource): Finding {
  const known = Object.keys(node.properties ?? {});
  const meant = nearest(key, known);
  return {
    code: "CONFIG_UNKNOWN_KEY",
    path: [...path, key].join("."),
    message: `unknown key ${shown(key)}; accepted: ${known.join(", ")}`,
    fix: meant ? `did you mean ${meant}?` : profileErrors.entries.CONFIG_UNKNOWN_KEY.fix,
    ...source.keyAt(path, key),
  };
}

function missing(path: readonly PropertyKey[], node: SchemaNode, source: YamlSource): Finding {
  const key = path.join(".");
  return {
    code: "CONFIG_MISSING",
    path: key,
    message: `there is nothing; accepted: ${node.description ?? "a value"}`,
    fix: key ? `add the line "${String(path.at(-1))}: …"` : profileErrors.entries.CONFIG_MISSING.fix,
    ...source.valueAt(path),
  };
}

function wrongValue(value: unknown, path: readonly PropertyKey[], node: SchemaNode, source: YamlSource): Finding {
  return {
    code: "CONFIG_VALUE",
    path: path.join("."),
    message: `${value === null ? "the value is missing" : `${written(value, path, source)} is not accepted`}; accepted: ${node.description ?? "another value"}`,
    fix: fixOf(value, node),
    ...source.valueAt(path),
  };
}

function fixOf(value: unknown, node: SchemaNode): string {
  const { fix } = profileErrors.entries.CONFIG_VALUE;
  const wantsText = node.enum === undefined && node.properties === undefined && node.items === undefined;
  if (typeof value === "string") {
    const meant = nearest(value, node.enum ?? []);
    return meant ? `did you mean ${meant}?` : fix;
  }
  if (value === null) return "write the value after the colon";
  const scalar = typeof value === "number" || typeof value === "boolean";
  return scalar && wantsText && node.type === "string" ? "if it is meant as text, write it in quotes" : fix;
}

/** Members whose value is the secret itself where somebody has mistaken them. */
const NEAR_SECRETS: readonly unknown[] = ["pinFile", "tokenFile"];

function written(value: unknown, path: readonly PropertyKey[], source: YamlSource): string {
  if (NEAR_SECRETS.includes(path.at(-1)) || (typeof value === "string" && looksLikeSecret(value)))
    return "what stands here, and is not shown,";
  return typeof value === "number" ? (source.textAt(path) ?? shown(value)) : shown(value);
}

/** A value as the report prints it, cut after 60 characters. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode {
  return path.reduce<SchemaNode>(
    (node, key) => (typeof key === "number" ? node.items : (node.properties?.[String(key)] ?? membersOf(node))) ?? {},
    root,
  );
}

/** What every member of a map with free names is. */
function membersOf({ additionalProperties }: SchemaNode): SchemaNode | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}
