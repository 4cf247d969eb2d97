import type { Finding } from "../shared/finding.ts";
import { FLOW_CARRIES, PROTECTION_CARRIES, ZONE_HOLDS, ZONE_PUBLISHES } from "./boundary-table.ts";
import type { Component } from "./component.ts";
import type { Engine } from "./deployment.ts";
import { modelErrors } from "./errors.ts";
import { renderFindings } from "./findings.ts";
import type { Flow } from "./flow.ts";
import { checkHostPlaces } from "./host-places.ts";
import type { DataClass } from "./zones.ts";

/** Everything that an engine renders, and that the boundary rule reads. */
export interface Model {
  readonly engine: Engine;
  readonly components: readonly Component[];
  readonly flows: readonly Flow[];
}

/** The boundary rule at run time: every breach of the table, at once. */
export function checkBoundary(model: Model): Finding[] {
  const byName = new Map(model.components.map((component) => [component.name, component]));
  return [
    ...duplicateNames(model.components),
    ...model.components.flatMap(checkComponent),
    ...model.components.flatMap(checkPublished),
    ...checkHostPlaces(model.components),
    ...model.flows.flatMap((flow) => checkFlow(flow, byName, model.engine)),
  ];
}

/**
 * Returns the model when the boundary holds.
 * @throws BOUNDARY_BROKEN with every finding as its cause
 */
export function verifiedModel(model: Model): Model {
  const findings = checkBoundary(model);
  if (findings.length === 0) return model;
  throw modelErrors.error("BOUNDARY_BROKEN", renderFindings("the boundary is broken", findings), {
    path: findings[0]?.path,
    cause: findings,
  });
}

function duplicateNames(components: readonly Component[]): Finding[] {
  const seen = new Set<string>();
  return components.flatMap(({ name }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const path = `components.${name}`;
    return [finding("BOUNDARY_NAME_TAKEN", path, `two components are named "${name}"`, "give each its own name")];
  });
}

function checkComponent(component: Component): Finding[] {
  const accepted: readonly DataClass[] = ZONE_HOLDS[component.zone];
  return forbidden(component.holds, accepted).map((held) =>
    finding(
      "BOUNDARY_ZONE_HOLDS",
      `components.${component.name}.holds`,
      `"${component.name}" in zone ${component.zone} holds ${held}; accepted: ${accepted.join(", ")}`,
      `move "${component.name}" into a zone that may hold ${held}, or keep ${held} out of it`,
    ),
  );
}

function checkPublished({ name, zone, ports }: Component): Finding[] {
  const accepted: readonly string[] = ZONE_PUBLISHES[zone];
  const published = ports.filter(({ publish }) => publish === true);
  return published
    .filter((port) => !accepted.includes(port.name) && !accepted.includes(`${name}.${port.name}`))
    .map((port) =>
      finding(
        "BOUNDARY_PUBLISHED",
        `components.${name}.ports.${port.name}`,
        `"${name}" in zone ${zone} publishes its port "${port.name}"; accepted: ${accepted.join(", ") || "none"}`,
        `take publish off the port "${port.name}" of "${name}"`,
      ),
    );
}

function checkFlow(flow: Flow, byName: ReadonlyMap<string, Component>, engine: Engine): Finding[] {
  const path = `flows.${flow.from}->${flow.to}.${flow.port}`;
  const from = byName.get(flow.from);
  const to = byName.get(flow.to);
  if (!from || !to) {
    const missing = from ? flow.to : flow.from;
    return [
      finding("BOUNDARY_FLOW_END", path, `there is no component "${missing}"`, "name a component of the deployment"),
    ];
  }
  return [
    ...checkCarries(flow, from, to, path),
    ...checkListener(flow, to, path),
    ...checkLoopback(flow, engine, path),
  ];
}

function checkCarries(flow: Flow, from: Component, to: Component, path: string): Finding[] {
  const between = `${from.zone} and ${to.zone}`;
  const accepted: readonly DataClass[] = FLOW_CARRIES[from.zone][to.zone];
  const safe: readonly DataClass[] = PROTECTION_CARRIES[flow.protection];
  const nothing =
    flow.carries.length === 0
      ? [finding("BOUNDARY_FLOW_EMPTY", path, "a flow must say what it carries", "name at least one data class")]
      : [];
  return [
    ...nothing,
    ...forbidden(flow.carries, accepted).map((carried) =>
      finding(
        "BOUNDARY_FLOW_CARRIES",
        path,
        `a flow between ${between} carries ${carried}; accepted: ${accepted.join(", ") || "no flow at all"}`,
        `keep ${carried} off this flow`,
      ),
    ),
    ...forbidden(flow.carries, safe).map((carried) =>
      finding(
        "BOUNDARY_FLOW_PROTECTION",
        path,
        `${flow.protection} carries ${carried}; accepted: ${safe.join(", ")}`,
        "protect the flow with mtls",
      ),
    ),
  ];
}

function checkListener(flow: Flow, to: Component, path: string): Finding[] {
  const kind = flow.protection === "unix" ? "sockets" : "ports";
  const names = to[kind].map(({ name }) => name);
  if (names.includes(flow.port)) return [];
  const accepted = names.join(", ") || "none";
  const message = `"${to.name}" has no "${flow.port}" among its ${kind}; accepted: ${accepted}`;
  return [finding("BOUNDARY_FLOW_PORT", path, message, `name one of the ${kind} of "${to.name}"`)];
}

function checkLoopback(flow: Flow, engine: Engine, path: string): Finding[] {
  if (flow.protection !== "loopback" || engine === "embedded") return [];
  const message = `protection loopback on the engine ${engine}, where components are on different hosts`;
  return [finding("BOUNDARY_FLOW_LOOPBACK", path, message, "protect the flow with mtls")];
}

function forbidden(classes: readonly DataClass[], accepted: readonly DataClass[]): DataClass[] {
  return classes.filter((dataClass) => !accepted.includes(dataClass));
}

function finding(code: keyof typeof modelErrors.entries, path: string, message: string, fix: string): Finding {
  return { code, path, message, fix };
}
