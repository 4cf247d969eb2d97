import type { Finding } from "../shared/finding.ts";
import { profileOf } from "./index.ts";
import { type ReadLine, readLines } from "./lines.ts";
import { shown } from "./schema-findings.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the deployment's profile does not allow. A profile that is not known allows everything: the schema said so. */
export function profileFindings(source: YamlSource): Finding[] {
  const profile = profileOf(source.value);
  if (profile === undefined) return [];
  const broken = readLines(source.value).filter(({ kept, raw }) => !kept && !(raw === undefined && source.partial));
  return broken.map((line) => breach(line, profile.name, source));
}

function breach({ path, accepted, reason, raw, silent }: ReadLine, profile: string, source: YamlSource): Finding {
  const got = raw === undefined ? "nothing is said" : shown(raw);
  return {
    code: "CONFIG_PROFILE",
    path,
    message: `${got}, but profile ${profile} accepts: ${accepted}, because ${reason}`,
    fix: silent ? `add ${path}` : "choose an accepted value, or another profile",
    ...source.valueAt(path.split(".")),
  };
}
