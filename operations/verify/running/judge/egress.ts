import type { Deployment } from "../../../../model/deployment.ts";
import type { CheckResult } from "../../result.ts";
import type { HostWatch, Observation } from "../observation.ts";
import { breach, count, resultOf, shown } from "../result.ts";

type Seen = Pick<Observation, "components" | "inside" | "hostReach" | "watch" | "resolves">;

/**
 * Nothing leaves the host, no name of somebody outside is resolved, and no service of the host is reached, from inside of any
 * container. A container without a default route is looked at all the same.
 */
export function judgeEgress(seen: Seen, { egress }: Pick<Deployment, "egress">): CheckResult {
  const id = "running.egress";
  if (egress.mode === "open")
    return {
      id,
      outcome: "not-required",
      seen: "egress.mode is open, which profile dev alone lets it be",
      findings: [],
    };
  const { components, inside, hostReach, watch, resolves } = seen;
  const looked = [...inside].flatMap(([name, answered]) =>
    "answer" in answered ? [[name, answered.answer] as const] : [],
  );
  const routed = looked.filter(([, { routes }]) => routes.some(({ destination }) => destination === "default"));
  const reachedHost = Map.groupBy(
    hostReach.filter(({ reached }) => reached === "connected"),
    ({ from }) => from,
  );
  const left = "answer" in watch ? watch.answer.left : [];
  const noWay = "answer" in watch && watch.answer.controls.every((control) => control === null);
  const stopped = [...components].flatMap(([name, { condition, container }]) =>
    condition === "done" || container?.State.Running === true ? [] : [`${name} does not run`],
  );
  return resultOf(id, {
    looked:
      `${count(looked.length, "container")}, of which ${routed.length} have a default route; ` +
      `${count(hostReach.length, "attempt")} at a service of the host` +
      (noWay ? "; the host itself has no route out" : ""),
    findings: [
      ...left.map(({ from, line }) =>
        breach("RUNNING_EGRESS", `containers.${from}`, `a packet of it left: ${shown(line)}`),
      ),
      ...[...reachedHost].map(([from, attempts]) => {
        const where = attempts.map(({ target }) => `${target.protocol} ${target.host}`).join(", ");
        return breach("RUNNING_EGRESS", `containers.${from}`, `it reaches services of the host at ${where}`);
      }),
      ...[...resolves].flatMap(([from, resolved]) =>
        resolved
          ? [breach("RUNNING_EGRESS", `containers.${from}.dns`, "it resolves the name of somebody outside")]
          : [],
      ),
    ],
    open: [
      ...stopped,
      ...[...inside].flatMap(([, answered]) => ("why" in answered ? [answered.why] : [])),
      ...("why" in watch ? [watch.why] : unsure(watch.answer)),
      ...looked.flatMap(([name]) => (resolves.has(name) ? [] : [`the probe beside ${name} did not answer`])),
    ],
  });
}

/** Why silence on the host would mean nothing. */
function unsure({ controls, listener, otherRoutes }: HostWatch): readonly string[] {
  const where = otherRoutes.join(", ");
  return [
    ...(where === ""
      ? []
      : [`the host has routes (${where}), and none for 192.0.2.0/24 and 198.51.100.0/24, where probes send`]),
    ...(controls.includes(false) ? ["the capture did not see what the host itself sent out"] : []),
    ...(listener.includes(false) ? ["the host's own listener did not hear the host"] : []),
  ];
}
