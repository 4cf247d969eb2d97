import { ENGINES } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { AVAILABLE_ENGINES, profileOf } from "./index.ts";
import { acceptsValue, type ReadLine, readLines } from "./lines.ts";
import type { Profile } from "./profile.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the deployment's profile does not allow. A profile that is not known allows everything: the schema said so. */
export function profileFindings(source: YamlSource): Finding[] {
  const profile = profileOf(source.value);
  if (profile === undefined) return [];
  const broken = readLines(source.value).filter(({ kept, raw }) => !kept && !(raw === undefined && source.partial));
  const engine = valueAt(source.value, ["engine"]) ?? profile.defaults.engine;
  return [...broken.map((line) => breach(line, profile.name, source)), ...unavailableEngine(engine, profile, source)];
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

function unavailableEngine(value: unknown, profile: Profile, source: YamlSource): Finding[] {
  const engine = ENGINES.find((known) => known === value);
  if (!engine || AVAILABLE_ENGINES.includes(engine)) return [];
  const accepted = AVAILABLE_ENGINES.filter((known) => acceptsValue(profile, "engine", known));
  return [
    {
      code: "CONFIG_ENGINE_UNAVAILABLE",
      path: "engine",
      message: `this version does not have the engine ${engine}; it has: ${AVAILABLE_ENGINES.join(", ")}`,
      fix: `say engine: ${accepted.join(" or ")}, or take a version that has the engine`,
      ...source.valueAt(["engine"]),
    },
  ];
}
