import { isIP } from "node:net";
import type { Model } from "../../../../model/boundary.ts";
import type { Component } from "../../../../model/component.ts";
import type { Flow } from "../../../../model/flow.ts";
import type { ProbeAnswer, Target } from "../../../../shared/prober.ts";
import type { Observed } from "../../../../stacks/docker/life/health.ts";
import { flowNetworkId, needsNetwork, networkName } from "../../../../stacks/docker/networks.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import type { Answered, ReachAttempt } from "../observation.ts";

/** What the attempts are made of. */
export interface ReachGround {
  readonly model: Model;
  readonly plan: DockerPlan;
  readonly components: ReadonlyMap<string, Observed>;
  readonly inside: ReadonlyMap<string, Answered<ProbeAnswer>>;
}

/** Name of a flow, as findings have it. */
export function flowName({ from, to, port }: Pick<Flow, "from" | "to" | "port">): string {
  return `${from} -> ${to}.${port}`;
}

/** The flows that cross a network. */
export function networkFlows({ flows }: Model): readonly Flow[] {
  return flows.filter(needsNetwork);
}

/** Address of a component in the network of a flow; undefined where it is not there. */
export function addressIn({ plan, components }: ReachGround, component: string, flow: Flow): string | undefined {
  const network = networkName(plan.deployment, flowNetworkId(flow));
  const address = components.get(component)?.container?.NetworkSettings.Networks[network]?.IPAddress;
  return address === undefined || address === "" ? undefined : address;
}

/**
 * From inside each container: every port of every other one, those that it declares and those that something listens on, at every
 * address that it has, and every published port at the host's address in each network. A port that a flow names is tried where that
 * flow ends; that it may answer at another address of the same component says nothing more.
 */
export function reachAttempts(ground: ReachGround): readonly Omit<ReachAttempt, "reached">[] {
  const { model, inside } = ground;
  const allowed = new Map(networkFlows(model).flatMap((flow) => allowedBy(flow, ground)));
  const fromInside = [...inside.keys()].flatMap((from) => {
    const others = model.components.filter(({ name }) => name !== from);
    const ofOthers = others.flatMap((other) => targetsOf(other, ground).map((target) => ({ to: other.name, target })));
    return [...ofOthers, ...ofHost(from, ground)].flatMap(({ to, target }) => {
      const flow = allowed.get(keyOf(from, target));
      const elsewhere = flow === undefined && mayReach(model, from, to, target);
      return elsewhere ? [] : [{ from, to, target, flow }];
    });
  });
  return [...fromInside, ...publishedDatagrams(ground)];
}

/** First words of an attempt from the host's side; whose port it is follows. */
export const FROM_HOST = "host -> ";

/** Published UDP ports from the host's side, where they answer: only then is their silence to containers a refusal. */
function publishedDatagrams({ plan }: ReachGround): readonly Omit<ReachAttempt, "reached">[] {
  return plan.containers.flatMap(({ name, ports }) =>
    ports
      .filter(({ protocol }) => protocol === "udp")
      .flatMap(({ address, internal, external }) => {
        const host = address === "0.0.0.0" ? "127.0.0.1" : address;
        const target = { host, port: external, protocol: "udp" as const };
        // The same answer is the component's own and the host's.
        return [
          { to: name, port: internal },
          { to: "the host", port: external },
        ].map(({ to, port }) => ({ from: "host", to, target, flow: `${FROM_HOST}${to} at udp ${port}` }));
      }),
  );
}

function allowedBy(flow: Flow, ground: ReachGround): readonly (readonly [string, string])[] {
  const host = addressIn(ground, flow.to, flow);
  const port = ground.model.components
    .find(({ name }) => name === flow.to)
    ?.ports.find(({ name }) => name === flow.port);
  if (host === undefined || port === undefined) return [];
  return [[keyOf(flow.from, { host, port: port.port, protocol: port.protocol }), flowName(flow)]];
}

function mayReach(model: Model, from: string, to: string, { port, protocol }: Target): boolean {
  const ports = model.components.find(({ name }) => name === to)?.ports ?? [];
  const own = ports.find((each) => each.port === port && each.protocol === protocol);
  return networkFlows(model).some((flow) => flow.from === from && flow.to === to && flow.port === own?.name);
}

function targetsOf(component: Component, ground: ReachGround): readonly Target[] {
  const seen = ground.inside.get(component.name);
  const answer = seen !== undefined && "answer" in seen ? seen.answer : undefined;
  const told = Object.values(ground.components.get(component.name)?.container?.NetworkSettings.Networks ?? {});
  // A link-local address means something on one link alone, and is none that a program is told.
  const addresses = [...told.map(({ IPAddress }) => IPAddress), ...(answer?.addresses ?? [])].filter(
    (address) => isIP(address) !== 0 && !address.startsWith("fe80:"),
  );
  const ports = [...component.ports, ...(answer?.listeners ?? []).filter(({ address }) => !isLoopback(address))];
  return unique(
    addresses.flatMap((host) => ports.map(({ port, protocol }) => ({ host, port, protocol }))),
    (target) => keyOf("", target),
  );
}

function ofHost(from: string, ground: ReachGround): readonly { readonly to: string; readonly target: Target }[] {
  const published = ground.plan.containers.flatMap(({ ports }) => ports);
  return gatewaysOf(from, ground).flatMap((host) =>
    published.map(({ external, protocol }) => ({ to: "the host", target: { host, port: external, protocol } })),
  );
}

/** The host's addresses in the networks of a container. */
export function gatewaysOf(
  container: string,
  { plan, inside }: Pick<ReachGround, "plan" | "inside">,
): readonly string[] {
  const spec = plan.containers.find(({ name }) => name === container);
  const own = plan.networks.filter(({ id }) => spec?.networks.some((network) => network.id === id));
  const seen = inside.get(container);
  const routes = seen !== undefined && "answer" in seen ? seen.answer.routes : [];
  const routers = routes
    .map(({ gateway }) => gateway)
    .filter((gateway) => isIP(gateway) === 4 && gateway !== "0.0.0.0");
  return [...new Set([...own.map(({ subnet }) => subnet.gateway), ...routers])];
}

/** Whether only the namespace itself reaches an address. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function keyOf(from: string, { host, port, protocol }: Target): string {
  return `${from} ${protocol} ${host} ${port}`;
}

function unique<T>(all: readonly T[], key: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()];
}
