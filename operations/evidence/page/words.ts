import { type CheckId, LAYERS, type Layer } from "../../verify/checks.ts";
import type { Outcome } from "../../verify/result.ts";
import type { Predicate } from "../schema/statement.ts";

/** An outcome, in words that stand alone. */
export const OUTCOME_WORDS = {
  proven: "proven",
  broken: "BROKEN",
  "not-proven": "NOT PROVEN",
  "not-required": "not asked for",
  held: "held",
  "not-shown": "not shown here",
} as const;

/** What is put into words of an evidence, or of what is about to become one. */
export interface Worded extends Pick<Predicate, "verdict"> {
  readonly verification: Pick<Predicate["verification"], "deployment" | "tenant"> & {
    readonly layers: readonly Layer[];
    readonly results: readonly {
      readonly id: CheckId;
      readonly outcome: Outcome;
      readonly reportOnly?: boolean | undefined;
    }[];
  };
}

/** The first line of every page: what came out, before anything else. */
export function headline({ verdict, verification: { deployment, tenant, results } }: Worded): string {
  const of = `the boundary of ${deployment}, tenant ${tenant}`;
  const open = results.flatMap(({ id, outcome }) => (outcome === "not-proven" ? [id] : []));
  if (verdict === "proven") return `Proven${open.length === 0 ? "" : `, but for ${open.join(" and ")}`}: ${of}`;
  return verdict === "broken" ? `BROKEN: ${of}` : `NOT PROVEN: ${of}`;
}

/** What the headline rests on, in one sentence. */
export function lead({ verdict, verification: { results, layers } }: Worded): string {
  const count = (wanted: string): number => results.filter(({ outcome }) => outcome === wanted).length;
  const reported = results.filter(({ outcome, reportOnly }) => outcome === "not-proven" && reportOnly === true).length;
  const left = LAYERS.filter((layer) => !layers.includes(layer));
  const counted = [
    `${count("proven")} of ${results.length} checks proven`,
    ...(count("broken") > 0 ? [`${count("broken")} broken`] : []),
    ...(count("not-proven") > 0 ? [`${count("not-proven")} not proven`] : []),
    ...(count("not-required") > 0 ? [`${count("not-required")} not asked for`] : []),
  ].join(", ");
  const partly =
    left.length === 0
      ? ""
      : ` The ${left.length === 1 ? "layer" : "layers"} ${left.join(", ")} ${left.length === 1 ? "was" : "were"} left out, so this is no proof.`;
  const open =
    verdict === "proven" && reported > 0 ? ` ${reported} of those the profile lets be reported as not proven.` : "";
  return `${counted}.${partly}${open}`;
}

/** Where the key is that signs, by the signer's own word; `here` is what that is called where nobody took it away. */
export function placeWords(place: Predicate["signer"]["place"], here: string): string {
  return {
    host: here,
    "age-file": "in an age file that the operator named, outside of the state directory",
    "root-device": "on the device of the root's key",
  }[place];
}

/** A time to the minute, UTC. */
export function minute(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
