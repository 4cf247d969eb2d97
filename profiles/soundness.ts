import { parseDuration } from "../shared/durations.ts";
import type { Finding } from "../shared/finding.ts";
import { linesOf } from "./lines.ts";
import type { Constraint, Profile } from "./profile.ts";
import { renderScope } from "./profile.ts";
import { keepsRule, type Rule } from "./rule.ts";
import { deploymentJsonSchema, type SchemaNode } from "./schema.ts";
import { TOPICS } from "./topics.ts";

const LEAST_REASON = 20;

/** What a host cannot always see: disks below its own, and the disks of other machines. Whatever else is not proven is not gone on with. */
const MAY_BE_REPORTED: readonly string[] = ["running.encryption", "data.gateway"];

/** What no profile but `dev` may accept, whatever else it says. */
const NEVER: readonly (readonly [path: string, value: string])[] = [
  ["engine", "embedded"],
  ["hosting.operator", "self"],
  ["egress.mode", "open"],
  ["images.source", "packages"],
  ["pki.issuing.kind", "file"],
  ["custody.owner", "self"],
];

/** What reaches a provider, which a profile whose hosting is local alone cannot accept. */
const NEVER_ON_SITE: typeof NEVER = [
  ["custody.kind", "aws-kms"],
  ["pki.issuing.kind", "aws-kms"],
  ["state.backend", "s3"],
  ["images.source", "registry"],
];

/** What no promise of any profile rests on. */
const ABSENT_AT_MOST: readonly string[] = ["grafana", "simulator"];

/**
 * What is weak or contradictory in a profile itself, as data: a topic of which it says nothing, a line without a reason or of a path
 * that no file has, lines that nothing can satisfy or everything does, a default that breaks one, a value that no such profile may
 * accept, a component that none may do without.
 */
export function checkProfile(profile: Profile): readonly Finding[] {
  const { name, constraints, assurances, mayBeAbsent } = profile;
  const at = (path: string, message: string, fix: string): Finding => ({
    ...{ code: "PROFILE_UNSOUND", path: `profiles.${name}.${path}`, message, fix },
  });
  const lines = [...constraints, ...assurances];
  const silent = name === "dev" ? [] : TOPICS.filter((topic) => !lines.some((line) => line.topic === topic));
  const onSite = !accepts(constraints, "hosting.region", "elsewhere");
  const never =
    name === "dev"
      ? []
      : [...NEVER, ...(onSite && accepts(constraints, "hosting.region", "local") ? NEVER_ON_SITE : [])];
  return [
    ...silent.map((topic) => at(topic, "there is no line of this topic", "add a constraint or an assurance")),
    ...lines
      .filter(({ reason }) => reason.trim().length < LEAST_REASON)
      .map((line) => at("path" in line ? line.path : line.heldBy, "the line has no reason", "say why it is there")),
    ...constraints.flatMap((line) =>
      pointless(line).map((why) => at(renderScope(line), why, "mend the rule or its path")),
    ),
    ...pairsOf(constraints)
      .filter(([one, other]) => disjoint(one.rule, other.rule))
      .map(([one]) => at(renderScope(one), "no value keeps both lines of this path", "make them one line")),
    ...brokenDefaults(profile).map((path) => at(path, "the default breaks the line", "choose a default that keeps it")),
    ...never
      .filter(([path, value]) => accepts(constraints, path, value))
      .map(([path, value]) =>
        at(path, `"${value}" is accepted, which no such profile may`, "add a line that refuses it"),
      ),
    ...assurances
      .filter(({ reportOnly, heldBy }) => reportOnly === true && !MAY_BE_REPORTED.includes(heldBy))
      .map(({ heldBy }) =>
        at(heldBy, "what is not proven would be gone on with", `leave reportOnly to ${MAY_BE_REPORTED.join(", ")}`),
      ),
    ...mayBeAbsent
      .filter((component) => !ABSENT_AT_MOST.includes(component))
      .map((component) => at("mayBeAbsent", `no deployment can do without "${component}"`, "take it out of the list")),
  ];
}

function accepts(constraints: readonly Constraint[], path: string, value: string): boolean {
  return !constraints.some((line) => line.path === path && line.when === undefined && !keepsRule(line.rule, value));
}

/** Lines that the profile's own values break; what must be said is not said yet. */
function brokenDefaults(profile: Profile): readonly string[] {
  return linesOf(profile, {}).flatMap(({ kept, raw, path }) => (kept || raw === undefined ? [] : [path]));
}

/** Why a line holds nothing: a path or a condition that no file has, a rule that all or none keep. */
function pointless({ path, rule, when }: Constraint): readonly string[] {
  const node = nodeOf(path);
  if (node === undefined) return ["no file has this path"];
  const condition = when === undefined ? undefined : nodeOf(when.path);
  if (when !== undefined && condition === undefined) return [`no file has the path ${when.path}`];
  const strange =
    when?.values.filter((value) => condition?.enum !== undefined && !condition.enum.includes(value)) ?? [];
  if (strange.length > 0) return [`${when?.path} is never ${strange.join(", ")}`];
  if (when !== undefined && when.values.length === 0) return ["the line never applies"];
  if (nothingKeeps(rule)) return ["no value keeps the line"];
  const all = rule.kind === "one-of" && node.enum?.every((value) => rule.values.includes(value));
  return all === true ? ["every value keeps the line"] : [];
}

function nodeOf(path: string): SchemaNode | undefined {
  return path
    .split(".")
    .reduce<SchemaNode | undefined>(
      (at, key) => (key === "*" ? at?.items : at?.properties?.[key]),
      deploymentJsonSchema(),
    );
}

function nothingKeeps(rule: Rule): boolean {
  if (rule.kind === "one-of") return rule.values.length === 0;
  if (rule.kind === "between") return rule.min > rule.max;
  return rule.kind === "lasts" && parseDuration(rule.min) > parseDuration(rule.max);
}

function disjoint(one: Rule, other: Rule): boolean {
  if (one.kind === "one-of") return !one.values.some((value) => keepsRule(other, value));
  if (one.kind === "lasts" && other.kind === "lasts") {
    return parseDuration(one.min) > parseDuration(other.max) || parseDuration(other.min) > parseDuration(one.max);
  }
  return one.kind === "between" && other.kind === "between" && (one.min > other.max || other.min > one.max);
}

/** Lines of one path that hold at the same time; a `one-of` stands first, as the one whose values can be tried. */
function pairsOf(constraints: readonly Constraint[]): readonly (readonly [Constraint, Constraint])[] {
  const sorted = [...constraints].sort((a, b) => Number(b.rule.kind === "one-of") - Number(a.rule.kind === "one-of"));
  return sorted.flatMap((one, index) =>
    sorted
      .slice(index + 1)
      .filter((other) => other.path === one.path && together(one, other) && alone(other.rule))
      .map((other) => [one, other] as const),
  );
}

/** Whether a rule is of its value alone, and of no other one. */
function alone(rule: Rule): boolean {
  return !("path" in rule);
}

function together({ when: one }: Constraint, { when: other }: Constraint): boolean {
  if (one === undefined || other === undefined || one.path !== other.path) return true;
  return one.values.some((value) => other.values.includes(value));
}
