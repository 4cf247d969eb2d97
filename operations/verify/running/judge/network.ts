import type { Model } from "../../../../model/boundary.ts";
import type { Target } from "../../../../shared/prober.ts";
import { isWell } from "../../../../stacks/docker/life/health.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import type { CheckResult } from "../../result.ts";
import type { Observation } from "../observation.ts";
import { flowName, isLoopback, networkFlows } from "../observe/reach-questions.ts";
import { breach, count, resultOf } from "../result.ts";

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
    const away = [flow.from, flow.to].filter((name) => !isRunning({ components }, name));
    if (away.length > 0) return { open: away.map((name) => `${name} does not run`) };
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

/** Everything else is refused. */
export function judgeRefused({ components, inside, reach }: Seen): CheckResult {
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
    open: unasked({ components, inside }),
  });
}

/** What listens is declared, and what the host publishes too. */
export function judgeListeners(
  { components, inside }: Omit<Seen, "reach">,
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
    findings: [...strange, ...published({ components }, plan)],
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

function isRunning({ components }: Pick<Seen, "components">, name: string): boolean {
  return components.get(name)?.container?.State.Running === true;
}

/** Components that could not be looked into; a job that is done needs not be. */
function unasked({ components, inside }: Omit<Seen, "reach">): readonly string[] {
  return [...components].flatMap(([name, { condition }]) => {
    if (condition === "done") return [];
    if (!isRunning({ components }, name)) return [`${name} does not run`];
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
