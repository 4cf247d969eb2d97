import { CUSTODY_CLASSES } from "../../../model/custody.ts";
import { buildModel } from "../../../modules/index.ts";
import { referencePlacement } from "../../../modules/reference-placement.ts";
import type { Profile } from "../../../profiles/profile.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import type { Finding } from "../../../shared/finding.ts";
import type { CheckId } from "../../verify/checks.ts";
import type { Facts } from "../schema/facts-schema.ts";
import type { Predicate } from "../schema/statement.ts";
import { contradiction } from "./contradiction.ts";

const RESULTS = "predicate.verification.results";

/** Outcomes that the profile has no room for, and outcomes that the facts say otherwise. */
export function outcomeFindings({ verification, facts }: Predicate, profile: Profile): readonly Finding[] {
  const { results } = verification;
  const isProven = (id: CheckId): boolean => results.some((each) => each.id === id && each.outcome === "proven");
  const reportable = profile.assurances.flatMap(({ heldBy, reportOnly }) => (reportOnly === true ? [heldBy] : []));
  const open = facts.egress.mode === "open";
  return [
    ...(verification.engine === "docker"
      ? []
      : [contradiction("predicate.verification.engine", `is ${verification.engine}; evidence is of engine docker`)]),
    ...results
      .filter(({ id, outcome }) => (outcome === "not-required") !== (id === "running.egress" && open))
      .map(({ id, outcome }) => contradiction(RESULTS, `${id} is ${outcome}, with egress.mode ${facts.egress.mode}`)),
    ...results
      .filter(({ reportOnly }) => reportOnly === true)
      .filter(({ id, outcome }) => outcome !== "not-proven" || !reportable.includes(id))
      .map(({ id }) => contradiction(RESULTS, `${id} is let be reported, which profile ${profile.name} does not`)),
    ...(isProven("running.custody") ? custodyFindings(facts) : []),
    ...imageFindings(facts, profile, isProven("running.images")),
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

/** Images that a component runs in the place of another one, where keys are on a token or in a TPM. */
const INSTEAD: Readonly<Record<string, string>> = { custody: "custody-tpm2", "step-ca": "step-ca-pkcs11" };

/** There is an image for each component that the profile does not let be absent, and a digest of each where a check says so. */
function imageFindings({ images }: Facts, profile: Profile, digests: boolean): readonly Finding[] {
  const at = "predicate.facts.images";
  const names = images.map(({ name }) => name);
  return [
    ...imagesOf(profile)
      .filter((name) => ![name, INSTEAD[name]].some((one) => one !== undefined && names.includes(one)))
      .map((name) => contradiction(at, `has no image "${name}", which a component of every deployment runs`)),
    ...images
      .filter(({ digest }) => digests && digest === null)
      .map(({ name }) => contradiction(at, `"${name}" has no digest, and running.images is proven`)),
  ];
}

function imagesOf({ name: profile, mayBeAbsent }: Profile): readonly string[] {
  const name = "evidence";
  const deployment = resolveDeployment({ name, tenant: name, profile, engine: "docker", gateways: [] });
  const { components } = buildModel(deployment, referencePlacement(deployment));
  const present = components.filter((component) => !mayBeAbsent.includes(component.name));
  return [...new Set(present.flatMap(({ image }) => image ?? []))];
}
