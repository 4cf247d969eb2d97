import { ENGINES, PROFILE_NAMES } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { AVAILABLE_ENGINES, PROFILES } from "./index.ts";
import { type Constraint, keepsRule, renderRule } from "./profile.ts";
import { shown, valueAt } from "./schema-findings.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the deployment's profile does not allow. A profile that is not known allows everything: the schema said so. */
export function profileFindings(source: YamlSource): Finding[] {
  const name = PROFILE_NAMES.find((known) => known === valueAt(source.value, ["profile"]));
  if (!name) return [];
  const profile = PROFILES[name];
  const effective = (path: readonly string[]) => valueAt(source.value, path) ?? valueAt(profile.defaults, path);
  return [
    ...profile.constraints.flatMap((constraint) => {
      const path = constraint.path.split(".");
      const value = effective(path);
      const hidden = value === undefined && source.partial;
      return hidden || keepsRule(constraint.rule, value) ? [] : [broken(constraint, name, path, value, source)];
    }),
    ...unavailableEngine(effective(["engine"]), source),
  ];
}

function broken(
  { path: dotted, rule, reason }: Constraint,
  profile: string,
  path: readonly string[],
  value: unknown,
  source: YamlSource,
): Finding {
  const got = value === undefined ? "nothing is said" : shown(value);
  return {
    code: "CONFIG_PROFILE",
    path: dotted,
    message: `${got}, but profile ${profile} accepts: ${renderRule(rule)}, because ${reason}`,
    fix: value === undefined ? `add ${dotted}` : `choose an accepted value, or another profile`,
    ...source.valueAt(path),
  };
}

function unavailableEngine(value: unknown, source: YamlSource): Finding[] {
  const engine = ENGINES.find((known) => known === value);
  if (!engine || AVAILABLE_ENGINES.includes(engine)) return [];
  return [
    {
      code: "CONFIG_ENGINE_UNAVAILABLE",
      path: "engine",
      message: `this version does not have the engine ${engine}; it has: ${AVAILABLE_ENGINES.join(", ")}`,
      fix: "use engine: embedded with profile: dev, or a version that has the engine",
      ...source.valueAt(["engine"]),
    },
  ];
}
