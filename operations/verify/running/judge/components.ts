import { shown } from "../../../../shared/shown.ts";
import { isWell } from "../../../../stacks/docker/life/health.ts";
import { networkName } from "../../../../stacks/docker/networks.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import type { StartPlace } from "../../../../stacks/host/trust/place.ts";
import { reasonsAgainst } from "../../../../stacks/host/trust/strangers.ts";
import type { CheckResult } from "../../result.ts";
import type { Observation } from "../observation.ts";
import { breach, count, resultOf } from "../result.ts";

/** Every component runs and is well, in the networks of its flows alone, and nobody else has business there. */
export function judgeComponents(
  { components, everything }: Pick<Observation, "components" | "everything">,
  plan: DockerPlan,
  place: StartPlace,
): CheckResult {
  const unwell = [...components].flatMap(([name, { condition, container }]) => {
    const paused = container?.State.Status === "paused";
    if (isWell(condition) && !paused) return [];
    return [breach("RUNNING_UNWELL", `containers.${name}`, `it is ${paused ? "paused" : condition}`)];
  });
  const isOurs = (name: string): boolean => plan.containers.some((container) => container.name === name);
  const strangers = everything.filter(({ name }) => !isOurs(name));
  const extra = strangers.flatMap((container) => {
    const reasons = reasonsAgainst(container, everything, isOurs, place);
    return reasons.length === 0 ? [] : [breach("RUNNING_STRANGER", `containers.${container.name}`, reasons.join("; "))];
  });
  return resultOf("running.components", {
    looked: `${count(components.size, "component")}, ${count(strangers.length, "other container")} on the host`,
    findings: [...unwell, ...elsewhere({ components }, plan), ...extra],
  });
}

/** Networks that a component is in and should not be, and the other way round. */
function elsewhere({ components }: Pick<Observation, "components">, plan: DockerPlan) {
  return plan.containers.flatMap(({ name, networks }) => {
    const container = components.get(name)?.container;
    if (container === undefined) return [];
    const wanted = networks.map(({ id }) => networkName(plan.deployment, id));
    const joined = Object.keys(container.NetworkSettings.Networks).filter((network) => network !== "none");
    const more = joined.filter((network) => !wanted.includes(network)).map((network) => `it is in ${shown(network)}`);
    const less = wanted.filter((network) => !joined.includes(network)).map((network) => `it is not in ${network}`);
    return [...more, ...less].map((message) => breach("RUNNING_NETWORKS", `containers.${name}.networks`, message));
  });
}
