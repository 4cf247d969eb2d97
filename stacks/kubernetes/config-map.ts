import { createHash } from "node:crypto";
import type { V1ConfigMap } from "@kubernetes/client-node";
import type { Component, ConfigFile } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { INSIDE } from "../docker/placement.ts";
import { componentLabels } from "./labels.ts";
import type { Typed } from "./objects.ts";

/** Hex digits of a hash in a name: 2^40 of them. */
const HASH_DIGITS = 10;

/** A short hash of any value, the same for the same value. */
export function shortHash(value: unknown): string {
  return createHash("sha256").update(stableJson(value)).digest("hex").slice(0, HASH_DIGITS);
}

/**
 * Name of a component's ConfigMap: another content is another object, so that a changed file starts pods anew. It is no way back: a
 * deploy removes those of the version before, and what named them starts no more.
 */
export function configMapName({ name, files }: Component): string {
  return `${name}-${shortHash(files)}`;
}

/** Key of a file in its ConfigMap: its path below the configuration's folder, since a key has no `/`. */
export function configKey({ path }: ConfigFile): string {
  return path.slice(INSIDE.config.length + 1).replaceAll("/", "__");
}

/** The configuration files of a component, or nothing where it has none. */
export function configMaps(component: Component, deployment: Deployment): readonly Typed<V1ConfigMap>[] {
  if (component.files.length === 0) return [];
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: configMapName(component),
        namespace: deployment.kubernetes.namespace,
        labels: componentLabels(deployment, component),
      },
      immutable: true,
      data: Object.fromEntries(component.files.map((file) => [configKey(file), file.content])),
    },
  ];
}
