import type { EgressHost } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { profileOf } from "./index.ts";
import { acceptsValue } from "./lines.ts";
import { allowedHosts, type NeededHost, neededHosts } from "./needed-hosts.ts";
import type { Profile } from "./profile.ts";
import { regionInHost } from "./provider-hosts.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What is contradictory in `egress`: a list that its mode has no use for, none where it needs one, a host that is missing. */
export function egressFindings(source: YamlSource): readonly Finding[] {
  const profile = profileOf(source.value);
  if (profile === undefined) return [];
  const said = (path: string): unknown =>
    valueAt(source.value, path.split(".")) ?? valueAt(profile.defaults, path.split("."));
  const mode = said("egress.mode");
  const allow = allowedHosts(said("egress.allow"));
  const at = (path: string, message: string, fix: string): Finding => ({
    ...{ code: "CONFIG_EGRESS", path, message, fix },
    ...source.valueAt(path.split(".")),
  });
  const missing = (needed: NeededHost) => {
    const message = `${needed.what} is reached for ${needed.purposes[0]}, and is not in egress.allow for that; egress.mode is ${mode}`;
    const mend = mode === "isolated" ? "say egress.mode: restricted, and add to egress.allow" : "add to egress.allow";
    const entry = proposal(needed.entry, profile, said("hosting.region"));
    if (acceptsValue(profile, "egress.allow", [entry])) return at(needed.path, message, `${mend}: ${inFlow(entry)}`);
    const fix = `profile ${profile.name} has no such host on its list: choose what it accepts (trustkern profile explain ${profile.name})`;
    return at(needed.path, message, fix);
  };
  const unlisted = ({ purposes, isAt }: NeededHost) =>
    !allow.some((entry) => entry.protocol === "tcp" && purposes.includes(entry.purpose) && isAt(entry));
  const listed = allow.length === 1 ? "1 host is listed" : `${allow.length} hosts are listed`;
  const idle =
    allow.length > 0 && mode !== "restricted"
      ? [at("egress.allow", `${listed}, and egress.mode is ${mode}`, "empty the list, or say mode: restricted")]
      : [];
  if (mode === "open") return idle;
  if ((mode !== "restricted" && mode !== "isolated") || source.partial) return [];
  const lacking = said("engine") === "embedded" ? [] : neededHosts(said).filter(unlisted);
  const empty = mode === "restricted" && allow.length === 0 && lacking.length === 0;
  const none = at(
    "egress.allow",
    "no host is listed, and egress.mode is restricted",
    "name the hosts, or say mode: isolated",
  );
  return [...idle, ...(empty ? [none] : []), ...lacking.map(missing)];
}

/** An entry with its region, where the profile asks for one: the one in its name, or the hosting's. */
function proposal(entry: EgressHost, { constraints }: Profile, hosting: unknown): EgressHost {
  const asked = constraints.some(({ path }) => path === "egress.allow.*.region");
  const region = entry.region ?? regionInHost(entry.host) ?? hosting;
  return asked && typeof region === "string" ? { ...entry, region } : entry;
}

/** An entry as YAML takes it in one line. */
function inFlow(entry: EgressHost): string {
  const members = Object.entries(entry).map(([key, value]) => `${key}: ${value}`);
  return `{ ${members.join(", ")} }`;
}
