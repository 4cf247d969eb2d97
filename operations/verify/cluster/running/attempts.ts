import type { Model } from "../../../../model/boundary.ts";
import type { Component } from "../../../../model/component.ts";
import type { Deployment } from "../../../../model/deployment.ts";
import { serviceHost } from "../../../../stacks/kubernetes/placement.ts";
import type { Answered } from "../../running/observation.ts";
import { flowName, isLoopback, networkFlows } from "../../running/observe/reach-questions.ts";
import type { InsideTarget } from "../inside/programs.ts";
import type { PodAttempt, PodInside, SeenPod } from "./observation.ts";

/** How long a port of a flow may take to answer, and one that has to be refused may be silent, in milliseconds. */
const FLOW_MS = 8000;
const SILENT_MS = 1500;

/** Port of the kubelet on every node. */
const KUBELET = 10_250;
const DNS = 53;

/** Public addresses that nobody has (RFC 5737): an answer from there is the network's own. */
const NOBODYS = ["192.0.2.1", "198.51.100.1", "203.0.113.1"] as const;

/** What the attempts are made of. */
export interface AttemptsGround {
  readonly model: Model;
  readonly deployment: Pick<Deployment, "kubernetes">;
  readonly pods: readonly SeenPod[];
  readonly inside: ReadonlyMap<string, Answered<PodInside>>;
}

type Planned = Omit<PodAttempt, "reached">;

/**
 * From inside each pod: every flow to its other end by its Service, every port of every other pod that no flow names, at the pod's
 * own address, and what answers outside of the deployment. Ports that answer datagrams are asked by their own pods too: where they
 * do not even answer there, silence elsewhere shows nothing.
 */
export function planAttempts(ground: AttemptsGround): readonly Planned[] {
  const { pods, inside } = ground;
  const able = pods.filter(({ name }) => answerOf(inside, name) !== undefined);
  return able.flatMap((from) => [
    ...flowsOf(from, ground),
    ...pods.filter(({ name }) => name !== from.name).flatMap((to) => refusedAt(from, to, ground)),
    ...itself(from),
    ...outside(from, able, ground),
  ]);
}

function flowsOf(from: SeenPod, { model, deployment }: AttemptsGround): readonly Planned[] {
  return networkFlows(model)
    .filter((flow) => from.pod.components.some(({ name }) => name === flow.from))
    .flatMap((flow) => {
      const listener = model.components.find(({ name }) => name === flow.to);
      const port = listener?.ports.find(({ name }) => name === flow.port);
      if (listener === undefined || port === undefined) return [];
      const host = listener.external?.host ?? serviceHost(flow.to, deployment);
      const target = { host, port: port.port, protocol: port.protocol, timeoutMs: FLOW_MS };
      return [{ from: from.name, to: flow.to, target, purpose: "flow", flow: flowName(flow) } as const];
    });
}

/** Every port that a pod declares or listens on, but for those that a flow from the other one names. */
function refusedAt(from: SeenPod, to: SeenPod, { model, inside }: AttemptsGround): readonly Planned[] {
  const address = to.live.status?.podIP;
  if (address === undefined) return [];
  const allowed = allowedPorts(from.pod.components, to.pod.components, model);
  const listening = (answerOf(inside, to.name)?.listeners ?? []).filter((one) => !isLoopback(one.address));
  const all = [...to.pod.components.flatMap(({ ports }) => ports), ...listening];
  const open = new Map(all.map(({ port, protocol }) => [keyOf({ port, protocol }), { port, protocol }]));
  return [...open.values()]
    .filter((one) => !allowed.has(keyOf(one)))
    .map(({ port, protocol }) => {
      const target = { host: address, port, protocol, timeoutMs: SILENT_MS };
      return { from: from.name, to: to.name, target, purpose: "refused" } as const;
    });
}

function allowedPorts(from: readonly Component[], to: readonly Component[], model: Model): ReadonlySet<string> {
  const flows = networkFlows(model).filter((flow) => from.some(({ name }) => name === flow.from));
  return new Set(
    to.flatMap(({ name, ports }) =>
      ports.filter((port) => flows.some((flow) => flow.to === name && flow.port === port.name)).map(keyOf),
    ),
  );
}

function itself({ name, pod }: SeenPod): readonly Planned[] {
  const ports = pod.components.flatMap((component) => component.ports).filter(({ protocol }) => protocol === "udp");
  return ports.map(({ port, protocol }) => {
    const target = { host: "127.0.0.1", port, protocol, timeoutMs: SILENT_MS };
    return { from: name, to: name, target, purpose: "itself" } as const;
  });
}

/** The API server, the nodes, the resolver for whom asks for no names, and public addresses. */
function outside(from: SeenPod, able: readonly SeenPod[], { pods, inside }: AttemptsGround): readonly Planned[] {
  const tcp = (host: string, port: number): InsideTarget => ({ host, port, protocol: "tcp", timeoutMs: SILENT_MS });
  const own = answerOf(inside, from.name);
  const nodes = new Set(pods.flatMap(({ live }) => live.status?.hostIP ?? []));
  const all = able.flatMap(({ name }) => answerOf(inside, name)?.resolvers ?? []);
  const resolvers = new Set(all.filter((address) => !isLoopback(address)));
  const mayAsk = own?.resolvers.some((address) => resolvers.has(address)) === true;
  const targets = [
    ...(own?.api == null ? [] : [["the API server", tcp(own.api.host, own.api.port)] as const]),
    ...[...nodes].map((address) => ["a node", tcp(address, KUBELET)] as const),
    ...(mayAsk ? [] : [...resolvers].map((address) => ["the resolver", tcp(address, DNS)] as const)),
    ...NOBODYS.map((address) => [PUBLIC, tcp(address, 443)] as const),
  ];
  return targets.map(([to, target]) => ({ from: from.name, to, target, purpose: "outside" }) as const);
}

/** What attempts at addresses of nobody are named. */
export const PUBLIC = "a public address";

/** What a pod has inside; undefined where it could not be looked into. */
export function answerOf(inside: AttemptsGround["inside"], pod: string): PodInside | undefined {
  const seen = inside.get(pod);
  return seen !== undefined && "answer" in seen ? seen.answer : undefined;
}

function keyOf({ port, protocol }: { readonly port: number; readonly protocol: string }): string {
  return `${protocol} ${port}`;
}
