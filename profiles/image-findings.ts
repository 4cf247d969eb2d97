import { FOREIGN_IMAGES, IMAGE_SOURCES, type ImageSource, PROFILE_NAMES, runsUpstream } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { PROFILES, profileOf } from "./index.ts";
import { acceptsValue } from "./lines.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What contradicts where the images come from, or which they are. */
export function imageFindings(source: YamlSource): readonly Finding[] {
  const from = sourceOf(source);
  if (from === undefined) return [];
  return [...contradictions(source, from), ...unnamedReaders(source, from)];
}

/** Whoever reads the metrics from outside is named in Prometheus' configuration, which Debian's release has no list for. */
function unnamedReaders(source: YamlSource, from: ImageSource): readonly Finding[] {
  const path = ["telemetry", "vendor"];
  const foreign = FOREIGN_IMAGES.find((known) => known === valueAt(source.value, ["images", "foreign"]));
  if (valueAt(source.value, path) !== "metrics" || runsUpstream({ source: from, foreign })) return [];
  const why =
    'is "metrics", which needs upstream\'s Prometheus: the one that is built can name no reader; accepted: "none"';
  const out = "leave telemetry.vendor out";
  const fix = mayPull(source) ? `say images.source: registry without images.foreign: built, or ${out}` : out;
  return [{ code: "CONFIG_IMAGES", path: path.join("."), message: why, fix, ...source.valueAt(path) }];
}

function contradictions(source: YamlSource, from: ImageSource): readonly Finding[] {
  if (from === "registry") return [];
  const said = (member: string): unknown => valueAt(source.value, ["images", member]);
  const inRegistry = (["mirror", "signedBy"] as const).flatMap((member) => {
    if (said(member) === undefined) return [];
    const what = member === "mirror" ? "nothing is pulled" : "a signature lies beside its image in a registry";
    return [contradiction(member, `images.source is ${from}: ${what}`, leaveOut(source), source)];
  });
  if (from !== "packages" || said("foreign") !== "upstream") return inRegistry;
  const why = "images.source is packages, and upstream's images are in a registry; accepted: built";
  return [...inRegistry, contradiction("foreign", why, leaveOut(source), source)];
}

/** Whether the file's profile lets images come from a registry. */
function mayPull({ value }: YamlSource): boolean {
  const profile = profileOf(value);
  return profile !== undefined && acceptsValue(profile, "images.source", "registry");
}

function leaveOut(source: YamlSource): string {
  return mayPull(source) ? "leave it out, or say source: registry" : "leave it out";
}

/** Undefined where the file says something that is none: the schema said so. */
function sourceOf({ value }: YamlSource) {
  const profile = PROFILE_NAMES.find((known) => known === valueAt(value, ["profile"]));
  const usual = profile === undefined ? undefined : PROFILES[profile].defaults.images?.source;
  const said = valueAt(value, ["images", "source"]) ?? usual ?? "registry";
  return IMAGE_SOURCES.find((known) => known === said);
}

function contradiction(member: string, why: string, fix: string, source: YamlSource): Finding {
  const path = ["images", member];
  const message = `${shown(valueAt(source.value, path))} has no meaning: ${why}`;
  return { code: "CONFIG_IMAGES", path: path.join("."), message, fix, ...source.valueAt(path) };
}
