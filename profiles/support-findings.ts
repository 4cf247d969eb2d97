import type { Finding } from "../shared/finding.ts";
import { profileOf } from "./index.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

const GRANT = ["to", "from", "until", "reason"] as const;

/** What is contradictory in `support`: a grant without its terms, terms without a grant, an end before the beginning. */
export function supportFindings(source: YamlSource): readonly Finding[] {
  const profile = profileOf(source.value);
  if (profile === undefined) return [];
  const said = (member: string): unknown => valueAt(source.value, ["support", member]);
  const access = said("access") ?? profile.defaults.support?.access ?? "off";
  const at = (member: string, message: string, fix: string): Finding => {
    const path = ["support", member];
    return { code: "CONFIG_SUPPORT", path: path.join("."), message, fix, ...source.valueAt(path) };
  };
  if (access !== "granted") {
    return GRANT.filter((member) => said(member) !== undefined).map((member) =>
      at(
        member,
        `${shown(said(member))} has no meaning where support.access is ${access}`,
        "say access: granted, or leave it out",
      ),
    );
  }
  const missing = GRANT.filter((member) => said(member) === undefined && !source.partial);
  const [from, until] = [said("from"), said("until")].map((time) => Date.parse(String(time)));
  const backwards = from !== undefined && until !== undefined && until <= from;
  return [
    ...missing.map((member) => at(member, "there is nothing, and support.access is granted", `add support.${member}`)),
    ...(backwards
      ? [
          at(
            "until",
            `${shown(said("until"))} is no later than support.from`,
            "name a time after it, at most 7 days later",
          ),
        ]
      : []),
  ];
}
