import { profileOf } from "./index.ts";
import type { Constraint, Profile } from "./profile.ts";
import { keepsRule, type LookUp, type Rule, renderRule } from "./rule.ts";
import type { Topic } from "./topics.ts";
import { valueAt } from "./value-at.ts";

/** What a line's value is in words where neither file nor profile says one. */
export const NOTHING_SAID = "nothing is said";
/** The same where it is for the elements of a list that has none. */
export const NONE_LISTED = "none is listed";
/** How it begins where the line does not apply. */
export const NOT_APPLICABLE = "does not apply: ";

/** One line of a deployment's profile, and what the file says of it. */
export interface LineResult {
  readonly topic: Topic;
  /** Path in `trustkern.yaml`, with the index of an element where the line is for each. */
  readonly path: string;
  /** What the profile accepts, in words. */
  readonly accepted: string;
  readonly reason: string;
  /** What the file says, or its profile where it says nothing, in words and never a secret. */
  readonly value: string;
  readonly kept: boolean;
}

/** A line with what the report of a breach needs besides. */
export interface ReadLine extends LineResult {
  /** The value as it counts; undefined where neither file nor profile says one. */
  readonly raw: unknown;
  /** Whether neither file nor profile says anything at the path itself. */
  readonly silent: boolean;
}

/**
 * Every line of the profile that a file names, held against what the file says. A profile that is not known has no lines.
 * @param said the parsed input, or the value of the YAML as it was read
 */
export function profileLines(said: unknown): readonly LineResult[] {
  return readLines(said).map(({ raw: _, silent: __, ...line }) => line);
}

/** As {@link profileLines}, for who reports breaches. */
export function readLines(said: unknown): readonly ReadLine[] {
  const profile = profileOf(said);
  return profile === undefined ? [] : linesOf(profile, said);
}

/** The lines of any profile, held against what a file says. */
export function linesOf(profile: Profile, said: unknown): readonly ReadLine[] {
  const lookUp: LookUp = (dotted) => {
    const path = dotted.split(".");
    return valueAt(said, path) ?? valueAt(profile.defaults, path);
  };
  return profile.constraints.flatMap((constraint) => linesOfConstraint(constraint, lookUp));
}

function linesOfConstraint(constraint: Constraint, lookUp: LookUp): readonly ReadLine[] {
  const { when, rule, orElse, path, topic, reason } = constraint;
  const line = { topic, accepted: renderRule(rule), reason, raw: undefined, silent: false };
  if (when !== undefined && !when.values.some((value) => value === lookUp(when.path))) {
    return [{ ...line, path, value: `${NOT_APPLICABLE}${when.path} is ${inWords(lookUp(when.path))}`, kept: true }];
  }
  const places = placesOf(path, lookUp);
  if (places.length === 0) return [{ ...line, path, value: NONE_LISTED, kept: true }];
  return places.map((place) => {
    const own = lookUp(place);
    const raw = own ?? (orElse === undefined ? undefined : lookUp(orElse));
    return {
      ...line,
      path: place,
      value: inWords(raw),
      raw,
      silent: own === undefined,
      kept: keepsRule(atPlace(rule, place), raw, lookUp),
    };
  });
}

/** A rule whose path is of the same element of a list as the place. */
function atPlace(rule: Rule, place: string): Rule {
  const index = /\.(\d+)\./.exec(place)?.[1];
  return "path" in rule && index !== undefined ? { ...rule, path: rule.path.replace("*", index) } : rule;
}

/** Whether a profile accepts a value at a path, whatever else a file says. */
export function acceptsValue(profile: Profile, path: string, value: unknown): boolean {
  const said = path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const at = new RegExp(`^${path.replaceAll(".", "\\.")}(\\.|$)`);
  return linesOf(profile, said).every((line) => line.kept || !at.test(line.path));
}

/** The paths that a constraint's path stands for: one for each element of the list that `*` is in. */
function placesOf(path: string, lookUp: LookUp): readonly string[] {
  const [list, member] = path.split(".*.");
  if (list === undefined || member === undefined) return [path];
  const elements = lookUp(list);
  return Array.isArray(elements) ? elements.map((_, index) => `${list}.${index}.${member}`) : [];
}

/** A value of the file as a line tells it. */
export function inWords(value: unknown): string {
  if (value === undefined) return NOTHING_SAID;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}
