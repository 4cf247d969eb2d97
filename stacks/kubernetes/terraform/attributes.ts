import { kubernetesStackErrors } from "../errors.ts";
import type { PlannedObject } from "../objects.ts";
import { WORDLESS } from "./unsaid.ts";
import { isAt, LISTS_OF_ONE, MAPS, MODES, providerName, TEXTS } from "./words.ts";

/** Attributes of a resource. */
export type Attributes = Readonly<Record<string, unknown>>;

/** How members are called: as the bindings take them, or as Terraform's JSON has them. */
export type Naming = "camelCase" | "snake_case";

/** What stands in a text for something that cdktf puts in its place. */
const LIBRARY_TOKEN = /\{TfToken\[/;

/** Members of an object that are its resource's type. */
const TYPE_MEMBERS: readonly string[] = ["apiVersion", "kind"];

/**
 * An object in the provider's words, as Terraform will read them: every text is itself and no expression.
 * @throws KUBERNETES_TERRAFORM for what the provider has no word for
 */
export function attributesOf(object: PlannedObject, naming: Naming): Attributes {
  const members = Object.entries(object).filter(([name]) => !TYPE_MEMBERS.includes(name));
  return ofMembers(members, [object.kind], { naming, id: `${object.kind}/${object.metadata.name}` });
}

interface Context {
  readonly naming: Naming;
  /** Kind and name of the object. */
  readonly id: string;
}

function ofMembers(members: readonly (readonly [string, unknown])[], path: readonly string[], context: Context) {
  return Object.fromEntries(
    members.flatMap(([name, value]) => {
      const at = [...path, name];
      if (value === undefined || isWordless(value, at, context)) return [];
      const word = providerName(at);
      return [[context.naming === "snake_case" ? snakeCase(word) : word, ofValue(value, at, context)]];
    }),
  );
}

function ofValue(value: unknown, path: readonly string[], context: Context): unknown {
  if (typeof value === "string") return textOf(value, path, context);
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (isAt(MODES, path)) return `0${value.toString(8)}`;
    return isAt(TEXTS, path) ? String(value) : value;
  }
  if (Array.isArray(value)) return value.map((each) => ofValue(each, path, context));
  if (typeof value !== "object" || value === null) throw noWord(path, String(value), context);
  if (isAt(MAPS, path)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => {
        if (typeof each !== "string") throw noWord([...path, name], typeof each, context);
        return [textOf(name, path, context), textOf(each, [...path, name], context)];
      }),
    );
  }
  const members = ofMembers(Object.entries(value), path, context);
  return isAt(LISTS_OF_ONE, path) ? [members] : members;
}

function isWordless(value: unknown, path: readonly string[], context: Context): boolean {
  const known = WORDLESS.find(({ place }) => isAt([place], path));
  if (known === undefined) return false;
  if (value !== known.value) throw noWord(path, `accepted: ${known.value}`, context);
  return true;
}

function noWord(path: readonly string[], why: string, { id }: Context) {
  const member = path.slice(1).join(".");
  const message = `the provider has no word for "${member}" of ${id}: ${why}`;
  return kubernetesStackErrors.error("KUBERNETES_TERRAFORM", message, { path: `${id}.${member}` });
}

/** Terraform works out `${` and `%{` in every text of its JSON; doubled, the first sign stands for itself (HCL, template literals). */
function textOf(text: string, path: readonly string[], context: Context): string {
  if (LIBRARY_TOKEN.test(text)) throw noWord(path, "cdktf takes TfToken[ for a reference of its own", context);
  return text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}

/** A word of the bindings, as Terraform's JSON has it. */
export function snakeCase(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
