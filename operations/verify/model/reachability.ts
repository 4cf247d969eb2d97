import type { Model } from "../../../model/boundary.ts";
import { ZONE_HOLDS } from "../../../model/boundary-table.ts";
import type { Component } from "../../../model/component.ts";
import type { DataClass, Zone } from "../../../model/zones.ts";
import type { Finding } from "../../../shared/finding.ts";
import { modelLayerErrors } from "./errors.ts";
import { carriersOf, renderPath, type Step, shortestPath } from "./paths.ts";

// The classes that stay inside.
const KEPT_INSIDE = ["plaintext", "decryption-key"] as const satisfies readonly DataClass[];

/**
 * Every component outside of the boundary that plaintext or a decryption key reaches, by any number of flows, each with the
 * shortest path; and every component inside that gets a class which it does not say that it holds. What a sensor measured is its
 * own, and nobody else's.
 */
export function reachabilityFindings({ components, flows }: Pick<Model, "components" | "flows">): readonly Finding[] {
  const zones = new Map(components.map(({ name, zone }) => [name, zone]));
  return KEPT_INSIDE.flatMap((dataClass) => {
    const carriers = carriersOf(flows, dataClass);
    const holders = components.filter(({ holds }) => holds.includes(dataClass)).map(({ name }) => name);
    return components.flatMap((component) => {
      const others = new Set(holders.filter((name) => name !== component.name));
      const path = shortestPath(carriers, others, component.name);
      return isInside(component.zone)
        ? undeclared(component, dataClass, path)
        : [...heldOutside(component, dataClass), ...reachedOutside(component, dataClass, path, zones)];
    });
  });
}

/** Whether a zone is the boundary: it may hold what opens messages. */
export function isInside(zone: Zone): boolean {
  return mayHold(zone, "decryption-key");
}

function mayHold(zone: Zone, dataClass: DataClass): boolean {
  return (ZONE_HOLDS[zone] as readonly DataClass[]).includes(dataClass);
}

function heldOutside({ name, zone, holds }: Component, dataClass: DataClass): readonly Finding[] {
  if (!holds.includes(dataClass) || mayHold(zone, dataClass)) return [];
  return [finding("BOUNDARY_CLASS_HELD", name, `"${name}" in zone ${zone} holds ${dataClass}`)];
}

function reachedOutside(
  { name, zone }: Component,
  dataClass: DataClass,
  path: readonly Step[] | undefined,
  zones: ReadonlyMap<string, Zone>,
): readonly Finding[] {
  if (path === undefined) return [];
  const inside = (component: string): boolean => isInside(zones.get(component) ?? zone);
  const leaves = path.find(({ from, to }) => inside(from) && !inside(to)) ?? path.at(-1);
  const fix = `keep ${dataClass} off the flow ${leaves === undefined ? "" : renderPath([leaves])}`;
  const message = `${dataClass} reaches "${name}" in zone ${zone}: ${renderPath(path)}`;
  return [finding("BOUNDARY_CLASS_REACHES", name, message, fix)];
}

function undeclared(
  { name, holds }: Component,
  dataClass: DataClass,
  path: readonly Step[] | undefined,
): readonly Finding[] {
  if (path === undefined || holds.includes(dataClass)) return [];
  const message = `${dataClass} reaches "${name}", which does not say that it holds it: ${renderPath(path)}`;
  return [finding("BOUNDARY_CLASS_UNDECLARED", name, message)];
}

function finding(
  code: keyof typeof modelLayerErrors.entries,
  component: string,
  message: string,
  fix: string = modelLayerErrors.entries[code].fix,
): Finding {
  return { code, path: `components.${component}.holds`, message, fix };
}
