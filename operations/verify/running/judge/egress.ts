import type { Deployment } from "../../../../model/deployment.ts";
import type { ProbeAnswer } from "../../../../shared/prober.ts";
import { shown } from "../../../../shared/shown.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import type { CheckResult } from "../../result.ts";
import type { HostWatch, Observation } from "../observation.ts";
import { breach, count, resultOf } from "../result.ts";
import { away } from "./up.ts";

type Seen = Pick<Observation, "components" | "inside" | "hostReach" | "hostListeners" | "watch" | "resolves">;

/**
 * Nothing leaves the host, no name of somebody outside is resolved, and no service of the host is reached, from inside of any
 * container. A container without a default route is looked at all the same. Docker gives one to most, on internal networks as well: by the
 * host's address in one of its networks, where Docker's and the host's rules hold what is sent. By another address it is a breach.
 */
export function judgeEgress(
  seen: Seen,
  { egress }: Pick<Deployment, "egress">,
  plan: Pick<DockerPlan, "containers" | "networks">,
): CheckResult {
  const id = "running.egress";
  if (egress.mode === "open")
    return {
      id,
      outcome: "not-required",
      seen: "egress.mode is open, which profile dev alone lets it be",
      findings: [],
    };
  const { components, inside, hostReach, hostListeners, watch, resolves } = seen;
  const looked = [...inside].flatMap(([name, answered]) =>
    "answer" in answered ? [[name, answered.answer] as const] : [],
  );
  const routed = looked.filter(([, { routes }]) => routes.some(({ destination }) => destination === "default"));
  const reachedHost = Map.groupBy(
    hostReach.filter(({ reached }) => reached === "connected"),
    ({ from }) => from,
  );
  const services = new Set(hostReach.map(({ target }) => `${target.protocol} ${target.port}`)).size;
  const left = "answer" in watch ? watch.answer.left : [];
  const noWay = "answer" in watch && watch.answer.controls.every((control) => control === null);
  return resultOf(id, {
    looked:
      `${count(looked.length, "container")}, of which ${routed.length} have a default route` +
      `${routed.length === 0 ? "" : " by the host's address in a network of its own, by which nothing left"}; ` +
      `${count(hostReach.length, "attempt")} at ${count(services, "service")} of the host` +
      (noWay ? "; the host itself has no route out" : ""),
    findings: [
      ...looked.flatMap(([name, { routes }]) =>
        foreignRouters(name, routes, plan).map((gateway) =>
          breach("RUNNING_EGRESS", `containers.${name}.routes`, `it has a default route by ${gateway}`),
        ),
      ),
      ...left.map(({ from, line }) =>
        breach("RUNNING_EGRESS", `containers.${from}`, `a packet of it left: ${shown(line)}`),
      ),
      ...[...reachedHost].map(([from, attempts]) => {
        const where = attempts.map(({ target }) => `${target.protocol} ${target.host} ${target.port}`).join(", ");
        return breach("RUNNING_EGRESS", `containers.${from}`, `it reaches services of the host at ${where}`);
      }),
      ...[...resolves].flatMap(([from, resolved]) =>
        resolved
          ? [breach("RUNNING_EGRESS", `containers.${from}.dns`, "it resolves the name of somebody outside")]
          : [],
      ),
    ],
    open: [
      ...away({ components }),
      ...[...inside].flatMap(([, answered]) => ("why" in answered ? [answered.why] : [])),
      ...("why" in hostListeners ? [`what listens on the host is not known: ${hostListeners.why}`] : []),
      ...("why" in watch
        ? [watch.why]
        : unsure(
            watch.answer,
            looked.some(([, answer]) => hasIpv6(answer)),
          )),
      ...looked.flatMap(([name]) => (resolves.has(name) ? [] : [`the probe beside ${name} did not answer`])),
    ],
  });
}

/** Where default routes lead that are not by the host's address in one of the container's own networks. */
function foreignRouters(
  name: string,
  routes: ProbeAnswer["routes"],
  { containers, networks }: Pick<DockerPlan, "containers" | "networks">,
): readonly string[] {
  const spec = containers.find((container) => container.name === name);
  const own = networks.filter(({ id }) => spec?.networks.some((network) => network.id === id));
  const known = own.map(({ subnet }) => subnet.gateway);
  return routes.flatMap(({ destination, gateway }) =>
    destination === "default" && !known.includes(gateway) ? [gateway] : [],
  );
}

/** Link-local addresses lead nowhere. */
function hasIpv6({ addresses, routes }: ProbeAnswer): boolean {
  return [...addresses, ...routes.map(({ gateway }) => gateway)].some(
    (address) => address.includes(":") && !address.startsWith("fe80:"),
  );
}

/** Why silence on the host would mean nothing. */
function unsure({ controls, controlsOfIpv6, listener, otherRoutes }: HostWatch, withIpv6: boolean): readonly string[] {
  const where = otherRoutes.join(", ");
  return [
    ...(where === ""
      ? []
      : [`the host has routes (${where}), and none for documentation addresses, where probes send`]),
    ...(withIpv6 && controlsOfIpv6.includes(false)
      ? ["the capture did not see what the host itself sent out by IPv6, and a container has IPv6"]
      : []),
    ...(controls.includes(false) ? ["the capture did not see what the host itself sent out"] : []),
    ...(listener.includes(false) ? ["the host's own listener did not hear the host"] : []),
  ];
}
