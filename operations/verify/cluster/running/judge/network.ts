import type { Model } from "../../../../../model/boundary.ts";
import type { Deployment } from "../../../../../model/deployment.ts";
import type { CheckResult } from "../../../result.ts";
import { whyAway } from "../../../running/judge/up.ts";
import { flowName, isLoopback, networkFlows } from "../../../running/observe/reach-questions.ts";
import { count, resultOf } from "../../../running/result.ts";
import { answerOf, PUBLIC } from "../attempts.ts";
import type { ClusterObservation, PodAttempt } from "../observation.ts";
import { clusterRunningErrors } from "./errors.ts";
import { clusterBreach } from "./fixes.ts";

type Seen = Pick<ClusterObservation, "components" | "pods" | "inside" | "attempts">;

/** The component that is asked for what it reaches, where it has no program that could try. */
const SCRAPER = "prometheus";

/** What the model allows connects, from each pod and at each address of its other end. */
export function judgeClusterFlows(seen: Seen & Pick<ClusterObservation, "targets">, model: Model): CheckResult {
  const isOwn = (name: string): boolean => seen.components.has(name);
  const flows = networkFlows(model).filter(({ from }) => isOwn(from));
  const done = flows.filter(({ from }) => seen.components.get(from)?.condition === "done");
  const elsewhere = networkFlows(model).filter((flow) => !flows.includes(flow));
  const judged = flows.filter((flow) => !done.includes(flow)).map((flow) => judgeFlow(flow, seen, model));
  const jobs = [...new Set(done.map(({ from }) => from))].join(", ");
  return resultOf("running.flows", {
    looked: `${count(judged.length, "flow")} from inside, by Services${jobs === "" ? "" : `; ${jobs} is done and has no pod any more`}`,
    findings: judged.flatMap(({ finding }) => finding ?? []),
    open: [
      ...judged.flatMap(({ open }) => open ?? []),
      ...elsewhere.map((flow) => `${flowName(flow)} begins elsewhere, and cannot be tried from here`),
    ],
  });
}

function judgeFlow(
  flow: ReturnType<typeof networkFlows>[number],
  seen: Seen & Pick<ClusterObservation, "targets">,
  model: Model,
) {
  const name = flowName(flow);
  const path = `flows.${name}`;
  const isElsewhere = model.components.some((component) => component.name === flow.to && component.external);
  const away = [flow.from, ...(isElsewhere ? [] : [flow.to])].flatMap((end) => whyAway(seen, end) ?? []);
  if (away.length > 0) return { open: away };
  const sources = seen.pods.filter(({ pod }) => pod.components.some((component) => component.name === flow.from));
  const made = seen.attempts.filter((attempt) => attempt.flow === name);
  if (made.length === 0 && flow.from === SCRAPER) return byTargets(flow, seen.targets);
  const open = sources.flatMap(({ name: pod }) => {
    const reached = made.find(({ from }) => from === pod)?.reached;
    if (reached !== undefined) return [];
    return [whyUnasked(seen.inside, pod) ?? `${name} was not tried from ${pod}`];
  });
  const failed = made.flatMap(({ from, target, reached = [] }) =>
    reached.length === 0
      ? [`${target.host} has no address in ${from}`]
      : reached
          .filter((one) => one.reached !== "connected")
          .map((one) => `from ${from} at ${one.address}: ${one.reached}`),
  );
  const told = made.filter(({ reached }) => reached !== undefined).length === 0 ? [] : failed;
  // What runs elsewhere may be away without any fault of this deployment.
  if (isElsewhere && told.length > 0) return { open: [`${name}, which runs elsewhere, does not answer`, ...open] };
  if (told.length > 0)
    return { finding: clusterBreach("RUNNING_FLOW_CLOSED", path, `it does not connect ${told.join(", ")}`) };
  return open.length > 0 ? { open } : {};
}

/** Prometheus says itself whom it reaches. */
function byTargets(flow: { readonly to: string }, targets: ClusterObservation["targets"]) {
  const name = flowName({ from: SCRAPER, port: "metrics", ...flow });
  if (!("answer" in targets)) return { open: [targets.why] };
  const health = targets.answer.get(flow.to) ?? [];
  if (health.length === 0) return { open: [`Prometheus names no target for ${name}`] };
  const down = health.filter((one) => one !== "up" && one !== "unknown");
  if (down.length > 0) {
    const message = `Prometheus says that ${count(down.length, "target")} of ${health.length} cannot be read`;
    return { finding: clusterBreach("RUNNING_FLOW_CLOSED", `flows.${name}`, message) };
  }
  return health.includes("unknown") ? { open: [`Prometheus has not yet tried ${name}`] } : {};
}

/** Everything else is refused; where nothing enforces policies, that is said once. */
export function judgeClusterRefused(seen: Seen): CheckResult {
  const tried = seen.attempts.filter(({ purpose, reached }) => purpose === "refused" && reached !== undefined);
  const sources = new Set(tried.map(({ from }) => from));
  const reached = tried.filter(isConnected);
  const findings = unenforced(seen)
    ? [
        {
          code: "RUNNING_POLICIES_UNENFORCED",
          path: "cluster.networkPolicies",
          message: `all ${reached.length} ports that listen, and that no flow names, are reached from inside of ${sources.size} pods`,
          fix: clusterRunningErrors.entries.RUNNING_POLICIES_UNENFORCED.fix,
        },
      ]
    : reached.map(({ from, to, target: { protocol, host, port } }) =>
        clusterBreach(
          "RUNNING_REACHED",
          `Pod/${from}`,
          `it reaches ${to} at ${protocol} ${host} ${port}, and no flow says so`,
        ),
      );
  return resultOf("running.refused", {
    looked: `${count(tried.length, "attempt")} from inside ${count(sources.size, "pod")}`,
    findings,
    open: [...unlooked(seen), ...unmade(seen, "refused"), ...mute(seen)],
  });
}

/** Whether every port that was seen to listen was reached by whoever tried: then nothing looks at policies at all. */
function unenforced(seen: Seen): boolean {
  const tried = seen.attempts.filter((attempt) => attempt.purpose === "refused" && isListening(attempt, seen));
  const made = tried.filter(({ reached }) => reached !== undefined);
  return made.length > 1 && new Set(made.map(({ from }) => from)).size > 1 && made.every(isConnected);
}

function isListening({ to, target }: PodAttempt, { inside }: Seen): boolean {
  return (answerOf(inside, to)?.listeners ?? []).some(
    ({ address, port, protocol }) => !isLoopback(address) && port === target.port && protocol === target.protocol,
  );
}

/** UDP ports that do not even answer their own pod: their silence to others shows nothing. */
function mute({ attempts }: Seen): readonly string[] {
  const alive = new Set(attempts.filter((one) => one.purpose === "itself" && isConnected(one)).map(portOf));
  const silent = attempts.filter(
    (one) => one.purpose === "refused" && one.target.protocol === "udp" && !isConnected(one) && !alive.has(portOf(one)),
  );
  return [...new Set(silent.map(portOf))].map((port) => `${port} answers nobody, so its silence shows nothing`);
}

function portOf({ to, target: { protocol, port } }: PodAttempt): string {
  return `${to} at ${protocol} ${port}`;
}

/** What listens is declared by a component of its pod. */
export function judgeClusterListeners(seen: Seen): CheckResult {
  const looked = seen.pods.flatMap((one) => {
    const answer = answerOf(seen.inside, one.name);
    return answer === undefined ? [] : [{ ...one, listeners: answer.listeners.filter((x) => !isLoopback(x.address)) }];
  });
  const findings = looked.flatMap(({ name, pod, listeners }) => {
    const declared = pod.components.flatMap(({ ports }) => ports);
    return listeners
      .filter(({ port, protocol }) => !declared.some((own) => own.port === port && own.protocol === protocol))
      .map(({ protocol, address, port }) =>
        clusterBreach("RUNNING_LISTENER", `Pod/${name}`, `something listens on ${protocol} ${address} ${port}`),
      );
  });
  const sockets = looked.reduce((sum, { listeners }) => sum + listeners.length, 0);
  return resultOf("running.listeners", {
    looked: `${count(sockets, "listening socket")} in ${count(looked.length, "pod")}`,
    findings,
    open: unlooked(seen),
  });
}

/**
 * Nothing outside of the deployment is reached: not the API server, a node, or the resolver by whom asks for no names; and no name of
 * somebody outside is resolved. Whether something goes to a public address cannot be seen from inside, since nobody answers there.
 */
export function judgeClusterEgress(
  seen: Seen & Pick<ClusterObservation, "resolves">,
  { egress }: Pick<Deployment, "egress">,
): CheckResult {
  const id = "running.egress";
  if (egress.mode === "open")
    return {
      id,
      outcome: "not-required",
      seen: "egress.mode is open, which profile dev alone lets it be",
      findings: [],
    };
  const tried = seen.attempts.filter(({ purpose, reached }) => purpose === "outside" && reached !== undefined);
  const byPod = Map.groupBy(tried.filter(isConnected), ({ from }) => from);
  const reached = [...byPod].map(([from, all]) => {
    const where = all.map(({ to, target: { host, port } }) => `${to} at ${host} ${port}`).join(", ");
    return clusterBreach("RUNNING_EGRESS", `Pod/${from}`, `it reaches ${where}`);
  });
  const resolved = [...seen.resolves].filter(([, is]) => is);
  const names = resolved.map(([from]) =>
    clusterBreach("RUNNING_EGRESS", `Pod/${from}.dns`, "it resolves the name of somebody outside"),
  );
  const silent = tried.some((one) => one.to === PUBLIC && one.reached?.some((each) => each.reached === "silent"));
  return resultOf(id, {
    looked: `${count(tried.length, "attempt")} from inside ${count(new Set(tried.map(({ from }) => from)).size, "pod")} at the API server, nodes, the resolver and public addresses`,
    findings: [...reached, ...names],
    open: [
      ...unlooked(seen),
      ...unmade(seen, "outside"),
      ...(silent ? ["what is sent to a public address vanishes, and from inside nobody can tell where"] : []),
    ],
  });
}

function isConnected({ reached = [] }: PodAttempt): boolean {
  return reached.some((one) => one.reached === "connected");
}

/** Components that do not run, and pods that could not be looked into. */
function unlooked({ components, pods, inside }: Omit<Seen, "attempts">): readonly string[] {
  const away = [...components].flatMap(([name, { condition }]) =>
    condition === "done" ? [] : (whyAway({ components }, name) ?? []),
  );
  return [...away, ...pods.flatMap(({ name }) => whyUnasked(inside, name) ?? [])];
}

function unmade({ attempts, inside }: Seen, purpose: PodAttempt["purpose"]): readonly string[] {
  const lost = attempts.filter((one) => one.purpose === purpose && one.reached === undefined);
  return lost.map(({ from }) => whyUnasked(inside, from) ?? `${from} did not answer`);
}

function whyUnasked(inside: Seen["inside"], pod: string): string | undefined {
  const seen = inside.get(pod);
  if (seen === undefined) return `${pod} was not looked into`;
  return "why" in seen ? seen.why : undefined;
}
