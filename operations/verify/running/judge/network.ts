import type { Model } from "../../../../model/boundary.ts";
import type { Port } from "../../../../model/component.ts";
import type { Target } from "../../../../shared/prober.ts";
import { isWell } from "../../../../stacks/docker/life/health.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import { EVERY_PORT } from "../../../../stacks/host/trust/container-facts.ts";
import type { CheckResult } from "../../result.ts";
import type { Observation, ReachAttempt } from "../observation.ts";
import { FROM_HOST, flowName, isLoopback, networkFlows } from "../observe/reach-questions.ts";
import { breach, count, resultOf } from "../result.ts";
import { whyAway } from "./up.ts";

type Seen = Pick<Observation, "components" | "inside" | "reach">;

/** What the model allows connects. */
export function judgeFlows({ components, inside, reach }: Seen, model: Model): CheckResult {
  const flows = networkFlows(model);
  const done = flows.filter(({ from }) => components.get(from)?.condition === "done");
  const asked = flows.filter((flow) => !done.includes(flow));
  const judged = asked.map((flow) => {
    const path = `flows.${flowName(flow)}`;
    const attempts = reach.filter((attempt) => attempt.flow === flowName(flow));
    if (attempts.some(({ reached }) => reached === "connected")) return {};
    const open = [flow.from, flow.to].flatMap((name) => whyAway({ components }, name) ?? []);
    if (open.length > 0) return { open };
    const answers = attempts.flatMap(({ reached }) => reached ?? []);
    const [answer] = answers;
    if (answer === undefined) return { open: [whyUnasked(inside, flow.from) ?? `${flowName(flow)} was not tried`] };
    return { finding: breach("RUNNING_FLOW_CLOSED", path, `it does not connect: ${answer}`) };
  });
  const jobs = [...new Set(done.map(({ from }) => from))].join(", ");
  return resultOf("running.flows", {
    looked: `${count(asked.length, "flow")}${jobs === "" ? "" : `; ${jobs} is done and has no network any more`}`,
    findings: judged.flatMap(({ finding }) => finding ?? []),
    open: judged.flatMap(({ open }) => open ?? []),
  });
}

/** Everything else is refused; and everything was tried: every port of every other container, from inside of each. */
export function judgeRefused({ components, inside, reach }: Seen, model: Model): CheckResult {
  const tried = reach.filter(({ flow, reached }) => flow === undefined && reached !== undefined);
  const findings = tried
    .filter(({ reached }) => reached === "connected")
    .map(({ from, to, target }) =>
      breach("RUNNING_REACHED", `containers.${from}`, `it reaches ${named(to, target)}, and no flow says so`),
    );
  const sources = [...new Set(tried.map(({ from }) => from))];
  return resultOf("running.refused", {
    looked: `${count(tried.length, "attempt")} from inside ${count(sources.length, "container")}`,
    findings,
    open: [...unasked({ components, inside }), ...untried({ components, inside, reach }, model), ...mute(reach)],
  });
}

/**
 * UDP ports whose silence shows nothing: a port that answers nobody is silent to whoever reaches it, too. One that answers a ping of
 * CoAP from who may ask would have answered it from everybody.
 */
function mute(reach: Seen["reach"]): readonly string[] {
  const udp = reach.filter(({ target }) => target.protocol === "udp");
  const nameOf = ({ from, to, target, flow }: ReachAttempt) =>
    from === "host" ? flow?.slice(FROM_HOST.length) : `${to} at udp ${target.port}`;
  const alive = new Set(udp.filter(({ reached }) => reached === "connected").map(nameOf));
  const silent = udp.filter((one) => one.reached === "silent" && !alive.has(nameOf(one)));
  return [...new Set(silent.map(nameOf))].map((name) => `${name} answered nobody, so its silence shows nothing`);
}

/** Ports without a flow that nobody tried from inside of a container that runs, though they have an address. */
function untried({ components, inside, reach }: Seen, model: Model): readonly string[] {
  const live = model.components.filter(({ name }) => whyAway({ components }, name) === undefined);
  const placed = live.filter(({ name }) =>
    Object.values(components.get(name)?.container?.NetworkSettings.Networks ?? {}).some(({ IPAddress }) => IPAddress),
  );
  const tried = new Set(
    reach.flatMap(({ from, to, target, reached }) => (reached === undefined ? [] : [keyOf(from, to, target)])),
  );
  const allowed = new Set(networkFlows(model).map(flowName));
  const isOpen = (from: string, to: string, port: Port): boolean =>
    !allowed.has(flowName({ from, to, port: port.name })) && !tried.has(keyOf(from, to, port));
  const sources = live.filter(({ name }) => whyUnasked(inside, name) === undefined);
  if (sources.length === 0) return ["no container was looked into"];
  return sources.flatMap(({ name: from }) =>
    placed
      .filter(({ name: to, ports }) => to !== from && ports.some((port) => isOpen(from, to, port)))
      .map(({ name: to }) => `not every port of ${to} was tried from ${from}`),
  );
}

function keyOf(from: string, to: string, { port, protocol }: Pick<Target, "port" | "protocol">): string {
  return `${from} ${to} ${protocol} ${port}`;
}

/** What listens is declared, and what the host publishes too. */
export function judgeListeners(
  { components, inside, everything }: Omit<Seen, "reach"> & Pick<Observation, "everything">,
  model: Model,
  plan: DockerPlan,
): CheckResult {
  const looked = [...inside].flatMap(([name, seen]) => ("answer" in seen ? [[name, seen.answer] as const] : []));
  let ports = 0;
  const strange = looked.flatMap(([name, { listeners }]) => {
    const declared = model.components.find((component) => component.name === name)?.ports ?? [];
    const outward = listeners.filter(({ address }) => !isLoopback(address));
    ports += outward.length;
    return outward
      .filter(({ port, protocol }) => !declared.some((own) => own.port === port && own.protocol === protocol))
      .map(({ address, port, protocol }) =>
        breach("RUNNING_LISTENER", `containers.${name}.ports`, `something listens on ${protocol} ${address} ${port}`),
      );
  });
  return resultOf("running.listeners", {
    looked: `${count(ports, "listening socket")} in ${count(looked.length, "container")}, and what the host publishes`,
    findings: [...strange, ...published({ components }, plan), ...publishedAll({ everything }, plan)],
    open: unasked({ components, inside }),
  });
}

function published({ components }: Pick<Seen, "components">, plan: DockerPlan) {
  return plan.containers.flatMap(({ name, ports }) => {
    const container = components.get(name)?.container;
    if (container === undefined) return [];
    const wanted = ports.map(
      ({ address, external, internal, protocol }) => `${address}:${external} to ${internal}/${protocol}`,
    );
    const actual = Object.entries(container.HostConfig.PortBindings ?? {}).flatMap(([inside, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} to ${inside}`),
    );
    const more = actual.filter((port) => !wanted.includes(port)).map((port) => `the host publishes ${port}`);
    const less = wanted.filter((port) => !actual.includes(port)).map((port) => `the host does not publish ${port}`);
    return [...more, ...less].map((message) => breach("RUNNING_PUBLISHED", `containers.${name}.ports`, message));
  });
}

/** Docker publishes every port that an image names where it is told so, and lists none of them. */
function publishedAll({ everything }: Pick<Observation, "everything">, { containers }: DockerPlan) {
  return everything
    .filter(({ name, facts }) => containers.some((spec) => spec.name === name) && facts.ports.includes(EVERY_PORT))
    .map(({ name }) => breach("RUNNING_PUBLISHED", `containers.${name}.ports`, `the host publishes ${EVERY_PORT}`));
}

/** Components that could not be looked into; a job that is done needs not be. */
function unasked({ components, inside }: Omit<Seen, "reach">): readonly string[] {
  return [...components].flatMap(([name, { condition }]) => {
    if (condition === "done") return [];
    const why = whyAway({ components }, name);
    if (why !== undefined) return [why];
    return whyUnasked(inside, name) ?? (isWell(condition) || inside.has(name) ? [] : [`${name} is ${condition}`]);
  });
}

function whyUnasked(inside: Seen["inside"], name: string): string | undefined {
  const seen = inside.get(name);
  return seen !== undefined && "why" in seen ? seen.why : undefined;
}

function named(to: string, { host, port, protocol }: Target): string {
  return `${to} at ${protocol} ${host} ${port}`;
}
