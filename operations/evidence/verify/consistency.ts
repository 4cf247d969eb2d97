import { PROFILE_NAMES } from "../../../model/deployment.ts";
import { PROFILES } from "../../../profiles/index.ts";
import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { CHECKS, type CheckId, layerOf } from "../../verify/checks.ts";
import { type Verification, verdictOf } from "../../verify/result.ts";
import { engineOf } from "../engine.ts";
import { assurancesOf } from "../facts/profile.ts";
import type { Predicate, Statement } from "../schema/statement.ts";
import { contradiction } from "./contradiction.ts";
import { lineFindings } from "./lines.ts";
import { outcomeFindings } from "./outcomes.ts";

/** Evidence is signed when the facts have been gathered, which comes right after the last layer. */
const MAX_GAP_MS = 60 * 60_000;

/** Every contradiction in a statement whose signature is good. */
export function contradictionsIn(statement: Statement): readonly Finding[] {
  const { predicate, subject } = statement;
  return [
    ...verdictFindings(predicate),
    ...resultFindings(predicate),
    ...profileFindings(predicate),
    ...subjectFindings(predicate, subject),
    ...timeFindings(predicate),
  ];
}

function verdictFindings({ verdict, verification }: Predicate): readonly Finding[] {
  const followed = verdictOf(verification as Verification);
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

function profileFindings(predicate: Predicate): readonly Finding[] {
  const { facts, verification } = predicate;
  const name = PROFILE_NAMES.find((known) => known === verification.profile);
  if (name === undefined) {
    return [contradiction("predicate.verification.profile", `"${verification.profile}" is no profile`)];
  }
  const assurances = assurancesOf(PROFILES[name]);
  return [
    ...outcomeFindings(predicate, PROFILES[name]),
    ...lineFindings(predicate, PROFILES[name]),
    ...(stableJson(facts.profileAssurances) === stableJson(assurances)
      ? []
      : [contradiction("predicate.facts.profileAssurances", `are not those of profile ${name}`)]),
  ];
}

function subjectFindings({ facts, pages }: Predicate, subjects: Statement["subject"]): readonly Finding[] {
  const known = new Map([
    ...facts.images.flatMap(({ reference, digest }) =>
      digest === null ? [] : [[reference, digest.slice(7)] as const],
    ),
    [engineOf(facts).stackName, facts.stack] as const,
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
  if (!inOrder) return [contradiction("predicate.issuedAt", "start, end and signature are not in this order")];
  const apart = Date.parse(issuedAt) - Date.parse(endedAt) > MAX_GAP_MS;
  return apart ? [contradiction("predicate.issuedAt", `is more than an hour after ${endedAt}, when all was seen`)] : [];
}
