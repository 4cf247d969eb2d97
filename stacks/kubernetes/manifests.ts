import { stringify } from "yaml";
import { KIND_ORDER, type PlannedObject } from "./objects.ts";
import type { KubernetesPlan } from "./plan.ts";

/** Names of files of an export; what else is in its folder is not ours. */
export const MANIFEST = /^\d{2}-[a-z]+-[a-z0-9.-]+\.yaml$/;

/** One file for each object, named so that the order of the alphabet is that in which they are applied. */
export function manifestFiles({ objects }: Pick<KubernetesPlan, "objects">): Readonly<Record<string, string>> {
  return Object.fromEntries(objects.map((object) => [fileName(object), manifestYaml(object)]));
}

/** The same as one text of several documents: what `trustkern export kubernetes` prints. */
export function manifestStream(plan: Pick<KubernetesPlan, "objects">): string {
  return Object.values(manifestFiles(plan)).join("---\n");
}

function fileName({ kind, metadata }: PlannedObject): string {
  const rank = KIND_ORDER.indexOf(kind);
  return `${String(rank * 10).padStart(2, "0")}-${kind.toLowerCase()}-${metadata.name}.yaml`;
}

/** An object as YAML 1.2, without anchors; a reader of YAML 1.1 takes the same from it. */
export function manifestYaml(object: PlannedObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" });
}
