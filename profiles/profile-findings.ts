import { ENGINES, PROFILE_NAMES } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { AVAILABLE_ENGINES, PROFILES } from "./index.ts";
import type { Constraint, Profile } from "./profile.ts";
import { keepsRule, renderRule } from "./rule.ts";
import { shown, valueAt } from "./schema-findings.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the deployment's profile does not allow. A profile that is not known allows everything: the schema said so. */
export function profileFindings(source: YamlSource): Finding[] {
  const name = PROFILE_NAMES.find((known) => known === valueAt(source.value, ["profile"]));
  if (!name) return [];
  const view = viewOf(source, PROFILES[name]);
  return [
    ...PROFILES[name].constraints.flatMap((constraint) => brokenPlaces(constraint, view)),
    ...unavailableEngine(view.lookUp("engine"), source),
  ];
}

/** A file as its profile sees it. */
interface View {
  readonly source: YamlSource;
  readonly profile: Profile;
  /** The value of the file, or else of the profile. */
  readonly lookUp: (path: string) => unknown;
}

function viewOf(source: YamlSource, profile: Profile): View {
  const lookUp = (dotted: string): unknown => {
    const path = dotted.split(".");
    return valueAt(source.value, path) ?? valueAt(profile.defaults, path);
  };
  return { source, profile, lookUp };
}

function brokenPlaces(constraint: Constraint, view: View): Finding[] {
  const { when, rule, orElse } = constraint;
  if (when !== undefined && !when.values.some((value) => value === view.lookUp(when.path))) return [];
  return placesOf(constraint.path, view).flatMap((path) => {
    const value = view.lookUp(path) ?? (orElse === undefined ? undefined : view.lookUp(orElse));
    const hidden = value === undefined && view.source.partial;
    return hidden || keepsRule(rule, value, view.lookUp) ? [] : [broken(constraint, path, value, view)];
  });
}

/** The paths that a constraint's path stands for: one for each element of the list that `*` is in. */
function placesOf(path: string, view: View): readonly string[] {
  const [list, member] = path.split(".*.");
  if (list === undefined || member === undefined) return [path];
  const elements = view.lookUp(list);
  return Array.isArray(elements) ? elements.map((_, index) => `${list}.${index}.${member}`) : [];
}

function broken(
  { rule, reason }: Constraint,
  path: string,
  value: unknown,
  { source, profile, lookUp }: View,
): Finding {
  const silent = lookUp(path) === undefined;
  const got = value === undefined ? "nothing is said" : shown(value);
  return {
    code: "CONFIG_PROFILE",
    path,
    message: `${got}, but profile ${profile.name} accepts: ${renderRule(rule)}, because ${reason}`,
    fix: silent ? `add ${path}` : "choose an accepted value, or another profile",
    ...source.valueAt(path.split(".")),
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
