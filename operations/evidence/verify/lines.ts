import { inWords, NONE_LISTED, NOT_APPLICABLE, NOTHING_SAID } from "../../../profiles/lines.ts";
import type { Constraint, Profile } from "../../../profiles/profile.ts";
import { keepsRule, type LookUp, renderRule } from "../../../profiles/rule.ts";
import { valueAt } from "../../../profiles/value-at.ts";
import type { Finding } from "../../../shared/finding.ts";
import { plainText } from "../../signed-file/plain-text.ts";
import type { ClusterFacts, Facts } from "../schema/facts-schema.ts";
import type { Predicate } from "../schema/statement.ts";
import { contradiction } from "./contradiction.ts";

type Line = Facts["profileLines"][number];

const PATH = "predicate.facts.profileLines";

/**
 * Every line of the profile is there, says what the facts say of the same thing, and is kept as far as its own value and those of
 * the others say so.
 */
export function lineFindings({ facts, verification }: Predicate, profile: Profile): readonly Finding[] {
  const known = fileOf(facts, verification.engine);
  const lookUp: LookUp = (path) =>
    valueAt(known, path.split(".")) ?? wordsAt(facts, path) ?? valueAt(profile.defaults, path.split("."));
  const lines = facts.profileLines.map((line) => ({ line, constraint: constraintOf(profile, line) }));
  const proven = verification.results.some(({ id, outcome }) => id === "model.profile" && outcome === "proven");
  return [
    ...profile.constraints
      .flatMap((constraint) => placesOf(constraint, known).map((place) => ({ constraint, place })))
      .filter(({ constraint, place }) =>
        lines.every(({ line, constraint: own }) => own !== constraint || !isPlaceOf(place, line.path)),
      )
      .map(({ place }) => contradiction(PATH, `lack the line "${place}"`)),
    ...lines.flatMap(({ line, constraint }) =>
      constraint === undefined
        ? [contradiction(PATH, `have "${line.path}", which is no line of profile ${profile.name}`)]
        : valueFindings(line, constraint, valueAt(known, line.path.split(".")), lookUp),
    ),
    ...facts.profileLines
      .filter(({ kept }) => proven && !kept)
      .map((line) => contradiction(PATH, `${line.path} is not kept, and model.profile is proven`)),
  ];
}

function valueFindings(line: Line, { rule, when }: Constraint, fact: unknown, lookUp: LookUp): readonly Finding[] {
  const { path, value, kept } = line;
  const wrong = (message: string) => [contradiction(PATH, `${path} ${message}`)];
  if (value.startsWith(NOT_APPLICABLE)) {
    const applies = when === undefined || when.values.some((each) => each === lookUp(when.path));
    return applies ? wrong("is said not to apply, and does") : [];
  }
  if (value === NONE_LISTED) return fact === undefined && path.includes("*") ? [] : wrong("is listed");
  const silent = value === NOTHING_SAID;
  if (silent ? isListed(fact) : isKnown(fact) && plainText(inWords(fact)) !== value) {
    return wrong(`is "${value}", and the facts say "${inWords(fact)}"`);
  }
  // A list is in the words of a line, from which nobody reads it back.
  const said = silent ? [undefined] : Array.isArray(fact) ? [fact] : [value, Number(value)];
  return said.some((each) => keepsRule(rule, each, lookUp)) === kept
    ? []
    : wrong(`is said to be ${kept ? "" : "not "}kept`);
}

/** What of `trustkern.yaml` the facts say, under its paths. */
function fileOf(facts: Facts, engine: string) {
  const { hosting, keys, administrators, egress, vendorTelemetry, imageSource, mirror } = facts;
  const { grants, escrow, support } = administrators;
  const { kind, leastClass, owner } = keys;
  return {
    engine,
    kubernetes: "engine" in facts ? clusterOf(facts) : undefined,
    hosting,
    custody: { kind, class: leastClass, owner, grants, escrow: escrow ?? undefined },
    egress,
    support: Object.fromEntries(Object.entries(support).filter(([, value]) => value !== null)),
    telemetry: { vendor: vendorTelemetry },
    images: { source: imageSource, mirror: mirror ?? undefined },
  };
}

function clusterOf({ namespace, publishedTo, elsewhere }: ClusterFacts) {
  const external = elsewhere.map(({ component, host, region }) => {
    return [component, { host: host ?? undefined, region: region ?? undefined }] as const;
  });
  return { namespace, publish: { from: publishedTo }, external: Object.fromEntries(external) };
}

/** The line of the profile that a line of the evidence is. */
function constraintOf({ constraints }: Profile, line: Line): Constraint | undefined {
  return constraints.find(
    ({ topic, path, rule, reason }) =>
      isPlaceOf(path, line.path) &&
      line.topic === plainText(topic) &&
      line.accepted === plainText(renderRule(rule)) &&
      line.reason === plainText(reason),
  );
}

/** Where a line has to be: of a list that the facts have, once for each element. */
function placesOf({ path }: Constraint, known: object): readonly string[] {
  const [list = "", member] = path.split(".*.");
  const elements = member === undefined ? undefined : valueAt(known, list.split("."));
  if (!Array.isArray(elements) || elements.length === 0) return [path];
  return elements.map((_, index) => `${list}.${index}.${member}`);
}

function isPlaceOf(path: string, at: string): boolean {
  const [list = "", member] = path.split(".*.");
  return at === path || (member !== undefined && at.startsWith(`${list}.`) && at.endsWith(`.${member}`));
}

function wordsAt({ profileLines }: Facts, path: string): string | undefined {
  const said = profileLines.find((line) => line.path === path && !line.value.startsWith(NOT_APPLICABLE))?.value;
  return said === NOTHING_SAID ? undefined : said;
}

function isKnown(value: unknown): boolean {
  return Array.isArray(value) || ["string", "number", "boolean"].includes(typeof value);
}

function isListed(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
