import { ONLINE_CLASSES, stepCaComponent } from "../certs/step-ca/names.ts";
import type { Model } from "../model/boundary.ts";
import type { Deployment } from "../model/deployment.ts";
import { PROFILES } from "../profiles/index.ts";
import type { Finding } from "../shared/finding.ts";

/** Components on every engine, besides the gateways. */
const CORE = ["database", "custody", "custody-broker", "broker", "backend", "collector", "simulator"] as const;

/** Components where the engine carries log lines: in a cluster the platform's own agent does, and on the embedded engine the host. */
const OF_LOGS = ["shipper", "loki"] as const;

/** Components where there are containers; on the embedded engine the host issues and keeps the logs. */
const IN_CONTAINERS = [
  ...["schema", "prometheus", "grafana"],
  ...ONLINE_CLASSES.map((leafClass) => stepCaComponent(leafClass)),
] as const;

/**
 * Components that a deployment lacks and that its profile does not let be absent. What is there is named here and not taken from
 * what builds the model, so that a model which somebody has taken something out of is found.
 */
export function absentFindings(
  { components }: Pick<Model, "components">,
  { engine, profile, gateways }: Pick<Deployment, "engine" | "profile" | "gateways">,
): readonly Finding[] {
  const { mayBeAbsent } = PROFILES[profile];
  const there = new Set(components.map(({ name }) => name));
  const expected = [
    ...CORE,
    ...(engine === "embedded" ? [] : IN_CONTAINERS),
    ...(engine === "embedded" || engine === "kubernetes" ? [] : OF_LOGS),
    ...gateways,
  ];
  return expected
    .filter((name) => !there.has(name) && !mayBeAbsent.includes(name))
    .map((name) => ({
      code: "COMPONENT_ABSENT",
      path: `components.${name}`,
      message: `"${name}" is missing; profile ${profile} lets be absent: ${mayBeAbsent.join(", ") || "none"}`,
      fix: "put it back; what makes the model of a deployment leaves none of these out",
    }));
}
