import type { Model } from "../../../model/boundary.ts";
import { CUSTODY_CLASSES } from "../../../model/custody.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { Finding } from "../../../shared/finding.ts";
import type { CheckId } from "../../verify/checks.ts";
import { engineOf, leastModel } from "../engine.ts";
import { elsewhereIn } from "../facts/elsewhere.ts";
import type { Facts } from "../schema/facts-schema.ts";
import type { Predicate } from "../schema/statement.ts";
import { contradiction } from "./contradiction.ts";

const RESULTS = "predicate.verification.results";

/** Outcomes that the profile has no room for, and outcomes that the facts say otherwise. */
export function outcomeFindings({ verification, facts }: Predicate, profile: Profile): readonly Finding[] {
  const { results } = verification;
  const { name: engine } = engineOf(facts);
  const isProven = (id: CheckId): boolean => results.some((each) => each.id === id && each.outcome === "proven");
  const reportable = profile.assurances.flatMap(({ heldBy, reportOnly }) => (reportOnly === true ? [heldBy] : []));
  const open = facts.egress.mode === "open";
  return [
    ...(verification.engine === engine
      ? []
      : [
          contradiction(
            "predicate.verification.engine",
            `is ${verification.engine}; the facts are of engine ${engine}`,
          ),
        ]),
    ...results
      .filter(({ id, outcome }) => (outcome === "not-required") !== (id === "running.egress" && open))
      .map(({ id, outcome }) => contradiction(RESULTS, `${id} is ${outcome}, with egress.mode ${facts.egress.mode}`)),
    ...results
      .filter(({ reportOnly }) => reportOnly === true)
      .filter(({ id, outcome }) => outcome !== "not-proven" || !reportable.includes(id))
      .map(({ id }) => contradiction(RESULTS, `${id} is let be reported, which profile ${profile.name} does not`)),
    ...(isProven("running.custody") ? custodyFindings(facts) : []),
    ...imageFindings(facts, profile, isProven("running.images")),
    ...elsewhereFindings(facts, profile),
  ];
}

/** What custody says of itself for the facts, where the check has it as proven; nothing where it did not answer again. */
function custodyFindings({ keys, unknown }: Facts): readonly Finding[] {
  const wrong = (message: string) => [
    contradiction("predicate.facts.keys", `${message}, and running.custody is proven`),
  ];
  if (keys.sealed === null) return unknown.some(({ fact }) => fact === "keys") ? [] : wrong("custody did not answer");
  if (keys.sealed) return wrong("custody is sealed");
  const ranks: readonly (string | null)[] = CUSTODY_CLASSES;
  const rank = ranks.indexOf(keys.custodyClass);
  return rank < 0 || rank > ranks.indexOf(keys.leastClass)
    ? wrong(`the class is ${keys.custodyClass ?? "not told"}`)
    : [];
}

/**
 * There is an image for each component that the profile does not let be absent and that nobody else runs, and a digest of each where
 * a check says so.
 */
function imageFindings(facts: Facts, profile: Profile, digests: boolean): readonly Finding[] {
  const { images } = facts;
  const { instead } = engineOf(facts);
  const at = "predicate.facts.images";
  const names = images.map(({ name }) => name);
  return [
    ...imagesOf(profile, leastModel(profile, facts))
      .filter((name) => ![name, instead[name]].some((one) => one !== undefined && names.includes(one)))
      .map((name) => contradiction(at, `has no image "${name}", which a component of every deployment runs`)),
    ...images
      .filter(({ digest }) => digests && digest === null)
      .map(({ name }) => contradiction(at, `"${name}" has no digest, and running.images is proven`)),
  ];
}

function imagesOf({ mayBeAbsent }: Profile, { components }: Model): readonly string[] {
  const present = components.filter(({ name }) => !mayBeAbsent.includes(name));
  return [...new Set(present.flatMap(({ image }) => image ?? []))];
}

/** A part that somebody else runs is in the zone, and holds what it does, on every deployment. */
function elsewhereFindings(facts: Facts, profile: Profile): readonly Finding[] {
  if (!("elsewhere" in facts)) return [];
  const known = elsewhereIn(leastModel(profile, facts));
  const names = facts.elsewhere.map(({ component }) => component);
  const wrong = (message: string) => contradiction("predicate.facts.elsewhere", message);
  return [
    ...names.filter((name, at) => names.indexOf(name) !== at).map((name) => wrong(`has "${name}" twice`)),
    ...facts.elsewhere
      .filter(({ component, zone, holds }) => {
        const own = known.find((each) => each.component === component);
        return own === undefined || own.zone !== zone || own.holds.join() !== holds.join();
      })
      .map(({ component }) => wrong(`"${component}" is not in the zone, or does not hold, what the model says`)),
  ];
}
