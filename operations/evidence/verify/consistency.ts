import { PROFILE_NAMES } from "../../../model/deployment.ts";
import { PROFILES } from "../../../profiles/index.ts";
import type { Profile } from "../../../profiles/profile.ts";
import { renderRule } from "../../../profiles/rule.ts";
import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { STACK_FILE } from "../../../stacks/docker/terraform/init.ts";
import { CHECKS, type CheckId, layerOf } from "../../verify/checks.ts";
import type { Verification } from "../../verify/result.ts";
import { evidenceErrors } from "../errors.ts";
import { assurancesOf } from "../facts/profile.ts";
import { plainTexts } from "../plain-text.ts";
import type { Facts } from "../schema/facts-schema.ts";
import type { Predicate, Statement } from "../schema/statement.ts";
import { evidenceVerdict } from "../verdict.ts";

/** Every contradiction in a statement whose signature is good. */
export function contradictionsIn(statement: Statement): readonly Finding[] {
  const { predicate, subject } = statement;
  return [
    ...verdictFindings(predicate),
    ...resultFindings(predicate),
    ...lineFindings(predicate),
    ...subjectFindings(predicate, subject),
    ...timeFindings(predicate),
  ];
}

function verdictFindings({ verdict, verification }: Predicate): readonly Finding[] {
  const followed = evidenceVerdict(verification as Verification);
  if (followed === verdict) return [];
  return [contradiction("predicate.verdict", `is "${verdict}", and "${followed}" follows from the results`)];
}

function resultFindings({ verification: { results, layers } }: Predicate): readonly Finding[] {
  const path = "predicate.verification.results";
  const asked = (Object.keys(CHECKS) as CheckId[]).filter((id) => layers.includes(layerOf(id)));
  const seen = results.map(({ id }) => id);
  return [
    ...asked.filter((id) => !seen.includes(id)).map((id) => contradiction(path, `has no result of ${id}`)),
    ...seen
      .filter((id) => !asked.includes(id))
      .map((id) => contradiction(path, `has ${id} of a layer that was left out`)),
    ...seen.filter((id, at) => seen.indexOf(id) !== at).map((id) => contradiction(path, `has ${id} twice`)),
    ...results
      .filter(({ outcome, findings }) => (outcome === "broken") !== findings.length > 0 && outcome !== "not-proven")
      .map(({ id, outcome, findings }) => contradiction(path, `${id} is ${outcome}, with ${findings.length} findings`)),
  ];
}

function lineFindings({ facts, verification }: Predicate): readonly Finding[] {
  const path = "predicate.facts.profileLines";
  const name = PROFILE_NAMES.find((known) => known === verification.profile);
  if (name === undefined) {
    return [contradiction("predicate.verification.profile", `"${verification.profile}" is no profile`)];
  }
  const proven = verification.results.find(({ id }) => id === "model.profile")?.outcome === "proven";
  const assurances = assurancesOf(PROFILES[name]);
  return [
    ...missingLines(PROFILES[name], facts.profileLines).map((line) => contradiction(path, `lack the line "${line}"`)),
    ...facts.profileLines
      .filter(({ kept }) => proven && !kept)
      .map((line) => contradiction(path, `${line.path} is not kept, and model.profile is proven`)),
    ...(stableJson(facts.profileAssurances) === stableJson(assurances)
      ? []
      : [contradiction("predicate.facts.profileAssurances", `are not those of profile ${name}`)]),
  ];
}

/** Lines of a profile that a list has not: what is accepted and why, at the path, or for `*` at that of an element. */
function missingLines({ constraints }: Profile, lines: Facts["profileLines"]): readonly string[] {
  return constraints
    .filter(({ topic, path, rule, reason }) => {
      const expected = plainTexts({ topic, accepted: renderRule(rule), reason });
      return !lines.some(
        (line) =>
          isPlaceOf(path, line.path) &&
          line.topic === expected.topic &&
          line.accepted === expected.accepted &&
          line.reason === expected.reason,
      );
    })
    .map(({ path }) => path);
}

function isPlaceOf(path: string, at: string): boolean {
  const [list = "", member] = path.split(".*.");
  return at === path || (member !== undefined && at.startsWith(`${list}.`) && at.endsWith(`.${member}`));
}

function subjectFindings({ facts, pages }: Predicate, subjects: Statement["subject"]): readonly Finding[] {
  const known = new Map([
    ...facts.images.flatMap(({ reference, digest }) =>
      digest === null ? [] : [[reference, digest.slice(7)] as const],
    ),
    [STACK_FILE, facts.stack] as const,
  ]);
  const names = subjects.map(({ name }) => name);
  return [
    ...[...known.keys(), ...pages]
      .filter((name) => !names.includes(name))
      .map((name) => contradiction("subject", `lacks "${name}"`)),
    ...names
      .filter((name, at) => names.indexOf(name) !== at)
      .map((name) => contradiction("subject", `has "${name}" twice`)),
    ...subjects.flatMap(({ name, digest }) => {
      if (pages.includes(name)) return [];
      if (!known.has(name)) return [contradiction("subject", `"${name}" is no image, stack or page of the predicate`)];
      return known.get(name) === digest.sha256
        ? []
        : [contradiction("subject", `"${name}" has another digest than the predicate says`)];
    }),
  ];
}

function timeFindings({ issuedAt, verification: { startedAt, endedAt } }: Predicate): readonly Finding[] {
  const inOrder = startedAt <= endedAt && endedAt <= issuedAt;
  return inOrder ? [] : [contradiction("predicate.issuedAt", "start, end and signature are not in this order")];
}

function contradiction(path: string, message: string): Finding {
  const { fix } = evidenceErrors.entries.EVIDENCE_INCONSISTENT;
  return { code: "EVIDENCE_INCONSISTENT", path, message, fix };
}
