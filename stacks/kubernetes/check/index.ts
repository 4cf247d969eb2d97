import type { Finding } from "../../../shared/finding.ts";
import { looksLikeSecret } from "../../../shared/secret-text.ts";
import { PATH, SECRET_NAME } from "../../docker/check/access-rules.ts";
import { isAttributes, named, shown } from "../../docker/check/subject.ts";
import type { CheckContext } from "./context.ts";
import { differences, finding } from "./differences.ts";
import { expectedObjects } from "./expected-objects.ts";

/**
 * Reads rendered objects as any other text from outside, and names everything in them that is not what the model needs. What the
 * check does not know it refuses, so that a new member is looked at before it is used.
 */
export function checkRendered(objects: unknown, context: CheckContext): readonly Finding[] {
  if (!Array.isArray(objects)) return [finding("OBJECT_SHAPE", "objects", `is ${shown(objects)}; accepted: a list`)];
  const expected = new Map(expectedObjects(context).map((object) => [idOf(object), object]));
  const seen = new Set<string>();
  const wrong = objects.flatMap((object: unknown, index) => {
    const id = idOf(object);
    if (id === undefined) {
      return [
        finding("OBJECT_SHAPE", `objects[${index}]`, `is ${shown(object)}; accepted: an object with kind and name`),
      ];
    }
    if (seen.has(id)) return [finding("OBJECT_KIND", id, "is there more than once")];
    seen.add(id);
    const wanted = expected.get(id);
    return [...(wanted === undefined ? [stranger(id)] : differences(object, wanted, id)), ...textsOf(object, id)];
  });
  const missing = [...expected.keys()].filter((id) => id !== undefined && !seen.has(id));
  return [...wrong, ...missing.map((id) => finding(codeOfKind(id ?? ""), id ?? "", "is missing"))];
}

function idOf(object: unknown): string | undefined {
  if (!isAttributes(object) || !isAttributes(object.metadata)) return undefined;
  const { kind, metadata } = object;
  return typeof kind === "string" && typeof metadata.name === "string" ? `${kind}/${metadata.name}` : undefined;
}

function stranger(id: string): Finding {
  if (id.startsWith("Secret/")) {
    return finding("OBJECT_SECRET", id, "is a Secret: its bytes are in no plan and in no export");
  }
  return finding(codeOfKind(id), id, "is no object of the model");
}

function codeOfKind(id: string) {
  return id.startsWith("NetworkPolicy/") ? "OBJECT_POLICY" : "OBJECT_KIND";
}

/** Texts, names of members included, that look like secrets, and variables that are called like one and hold no path. */
function textsOf(value: unknown, path: string): readonly Finding[] {
  if (typeof value === "string") return textOf(value, path);
  if (typeof value !== "object" || value === null) return [];
  const variable =
    isAttributes(value) &&
    typeof value.name === "string" &&
    typeof value.value === "string" &&
    SECRET_NAME.test(value.name)
      ? PATH.test(value.value)
        ? []
        : [finding("OBJECT_SECRET", path, `${named(value.name)} holds a value; accepted: the path of a file`)]
      : [];
  const members = Object.entries(value).flatMap(([name, member]) => [
    ...textOf(name, path),
    ...textsOf(member, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`),
  ]);
  return [...variable, ...members];
}

function textOf(text: string, path: string): readonly Finding[] {
  return looksLikeSecret(text) ? [finding("OBJECT_SECRET", path, "holds what looks like a secret")] : [];
}
