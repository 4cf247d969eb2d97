import { describe, expect, it } from "vitest";
import type { Model } from "../../model/boundary.ts";
import { NAMESPACE_LABEL, selectorLabels } from "./labels.ts";
import { type End, mayConnect, type Target } from "./may-connect.ts";
import type { NetworkPolicy } from "./objects.ts";
import { outsideOf } from "./outside.ts";
import { isSeveral } from "./pods.ts";
import { deploymentOf, KUBERNETES_FILES, type TestPlan, testPlan } from "./test-deployments.ts";

interface Place {
  /** Names of what is there, in the words of the model. */
  readonly names: readonly string[];
  readonly end: End;
}

const podAt = (namespace: string, labels: Readonly<Record<string, string>>): End => ({
  ...{ kind: "pod", namespace, namespaceLabels: { [NAMESPACE_LABEL]: namespace }, labels, address: "10.99.0.9" },
});

/** Where names are asked for, as the files of the profiles say it: at the pods alone that are usual where they say nothing. */
const KUBE_DNS = podAt("kube-system", { "k8s-app": "kube-dns" });
const RESOLVERS: Readonly<Record<string, { readonly ends: readonly End[]; readonly port: number }>> = {
  "eu-hosted": { ends: [KUBE_DNS, { kind: "outside", address: "169.254.20.10" }], port: 53 },
  "customer-tenant": { ends: [KUBE_DNS], port: 53 },
  "air-gapped": { ends: [podAt("names", { "dns.operator/daemonset": "default" })], port: 5353 },
};
const resolverIn = ({ deployment }: TestPlan) => RESOLVERS[deployment.profile] ?? { ends: [], port: 0 };

/** Every pod of a plan, and what is outside: where external parts and keys are, and strangers of several kinds. */
function placesOf(test: TestPlan): readonly Place[] {
  const { plan, model, deployment } = test;
  const { namespace, keys, issuingKeys, publish } = deployment.kubernetes;
  const own = plan.pods.map(({ name, components }) => ({
    names: components.map((component) => component.name),
    end: podAt(namespace, { ...selectorLabels(deployment, name), "trustkern.tenant": deployment.tenant }),
  }));
  const endOf = (peers: typeof keys): readonly End[] => {
    if (peers === undefined) return [];
    if (peers.kind === "pods") return [podAt(peers.namespace, peers.labels)];
    return peers.networks.map((cidr) => ({ kind: "outside", address: cidr.split("/")[0] ?? "" }));
  };
  const external = model.components.flatMap(({ name, external: server }) =>
    endOf(server?.peers).map((end) => ({ names: [name], end })),
  );
  const strangers: Place[] = [
    ...resolverIn(test).ends.map((end) => ({ names: ["resolver"], end })),
    { names: ["the usual resolver"], end: KUBE_DNS },
    { names: ["a resolver of its name elsewhere"], end: podAt("default", { "k8s-app": "kube-dns" }) },
    { names: ["a node's resolver"], end: { kind: "outside", address: "169.254.20.10" } },
    { names: ["beside a node's resolver"], end: { kind: "outside", address: "169.254.20.11" } },
    ...endOf(keys).map((end) => ({ names: ["keys of custody"], end })),
    ...endOf(issuingKeys).map((end) => ({ names: ["keys of authorities"], end })),
    ...publish.from.map((cidr) => ({
      names: ["public"],
      end: { kind: "outside" as const, address: cidr.split("/")[0] ?? "" },
    })),
    { names: ["stranger in the namespace"], end: podAt(namespace, { app: "stranger" }) },
    { names: ["stranger elsewhere"], end: podAt("default", { ...selectorLabels(deployment, "collector") }) },
    { names: ["the other resolver"], end: podAt("kube-system", { "k8s-app": "metrics" }) },
    { names: ["the Internet"], end: { kind: "outside", address: "198.51.100.7" } },
    { names: ["the machine's metadata"], end: { kind: "outside", address: "169.254.169.254" } },
  ];
  // Two parts at one place, such as both authorities, are one end of a connection.
  const merged = new Map<string, Place>();
  for (const { names, end } of [...own, ...external, ...strangers]) {
    const id = JSON.stringify(end);
    merged.set(id, { names: [...(merged.get(id)?.names ?? []), ...names], end });
  }
  return [...merged.values()];
}

/** What the model says: an arrow for each flow, as `from to protocol/port`. */
function arrowsOf(test: TestPlan): ReadonlySet<string> {
  const { model, deployment, plan } = test;
  const networked = model.flows.filter(({ protection }) => protection !== "unix");
  const portOf = ({ components }: Model, to: string, name: string) =>
    components.find((each) => each.name === to)?.ports.find((each) => each.name === name);
  const arrow = (from: string, to: string, port: number | undefined, protocol = "tcp") =>
    `${from} ${to} ${protocol.toUpperCase()}/${port}`;
  const asking = plan.pods.filter(({ components }) =>
    components.some(({ name }) => name === "custody" || networked.some(({ from }) => from === name)),
  );
  const published = plan.pods.flatMap(({ components }) =>
    components.flatMap(({ name, ports }) =>
      ports.filter(({ publish }) => publish).map((port) => arrow("public", name, port.port, port.protocol)),
    ),
  );
  return new Set([
    ...networked.map(({ from, to, port }) =>
      arrow(from, to, portOf(model, to, port)?.port, portOf(model, to, port)?.protocol),
    ),
    ...asking.flatMap(({ components: [{ name }] }) =>
      ["tcp", "udp"].map((protocol) => arrow(name, "resolver", resolverIn(test).port, protocol)),
    ),
    ...(deployment.kubernetes.publish.from.length > 0 ? published : []),
    ...outsideOf(deployment)
      .filter(({ component }) => plan.pods.some(({ name }) => name === component))
      .map(({ component, port }) =>
        arrow(component, component === "custody" ? "keys of custody" : "keys of authorities", port),
      ),
  ]);
}

/** Every port that anything has, the resolver's, and some that nothing has. */
function targetsOf({ model }: TestPlan): readonly Target[] {
  const ports = new Set([
    ...model.components.flatMap((component) => component.ports.map(({ port }) => port)),
    1,
    22,
    53,
    5353,
    443,
    6443,
    8200,
    10_250,
  ]);
  return [...ports].flatMap((port) => (["TCP", "UDP"] as const).map((protocol) => ({ port, protocol })));
}

const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];

describe.each(PROFILES)("the policies of profile %s", (profile) => {
  const test = testPlan(deploymentOf(KUBERNETES_FILES[profile]));
  const policies = test.plan.objects.filter(({ kind }) => kind === "NetworkPolicy") as NetworkPolicy[];
  const places = placesOf(test);
  const arrows = arrowsOf(test);
  const ours = (place: Place) =>
    test.plan.pods.some(({ components }) => components.some(({ name }) => place.names.includes(name)));

  const several = ({ names }: Place) =>
    test.plan.pods.some((pod) => isSeveral(pod) && pod.components.some(({ name }) => names.includes(name)));

  it("let connect, of every pair of ends and every port, whom the model's flows say, and nobody else", () => {
    const [open, closed]: [string[], string[]] = [[], []];
    let looked = 0;
    for (const from of places) {
      for (const to of places) {
        // What two strangers do is no business of ours; what a pod does with itself leaves it by no network, unless there are several.
        if ((from === to && !several(from)) || (!ours(from) && !ours(to))) continue;
        for (const target of targetsOf(test)) {
          looked += 1;
          const said = from.names.flatMap((a) => to.names.map((b) => `${a} ${b} ${target.protocol}/${target.port}`));
          const wanted = said.some((arrow) => arrows.has(arrow));
          const got = mayConnect(policies, from.end, to.end, target);
          if (got && !wanted) open.push(said.join(" or "));
          if (!got && wanted) closed.push(said.join(" or "));
        }
      }
    }
    expect(looked).toBeGreaterThan(3000);
    expect({ open, closed }).toEqual({ open: [], closed: [] });
  });

  it("are each needed: without one of them what it is for is closed, and nothing else", () => {
    const open = places.flatMap((from) =>
      places
        .filter((to) => (from !== to || several(from)) && (ours(from) || ours(to)))
        .flatMap((to) => targetsOf(test).map((target) => ({ from: from.end, to: to.end, target })))
        .filter((each) => mayConnect(policies, each.from, each.to, each.target)),
    );
    for (const policy of policies.filter(({ metadata }) => metadata.name !== "default-deny")) {
      const rest = policies.filter((each) => each !== policy);
      const closed = open.filter(({ from, to, target }) => !mayConnect(rest, from, to, target));
      expect(closed.length, policy.metadata.name).toBeGreaterThan(0);
      const most = policy.metadata.name?.endsWith(".dns") ? 2 * resolverIn(test).ends.length : 2;
      expect(closed.length, policy.metadata.name).toBeLessThanOrEqual(most);
    }
  });

  it("have peers and ports in every rule: one without would be for everybody", () => {
    for (const { metadata, spec } of policies) {
      const rules = [
        ...(spec.ingress ?? []).map(({ from, ports }) => [from, ports]),
        ...(spec.egress ?? []).map(({ to, ports }) => [to, ports]),
      ];
      if (metadata.name !== "default-deny") expect(rules.length, metadata.name).toBe(1);
      for (const [peers, ports] of rules) {
        expect(peers?.length, metadata.name).toBeGreaterThan(0);
        expect(ports?.length, metadata.name).toBeGreaterThan(0);
      }
    }
  });
});

it("closes everything where the flows are gone, but names and what is published", () => {
  const test = testPlan(deploymentOf(KUBERNETES_FILES["air-gapped"]));
  const deny = test.plan.objects.filter(({ metadata }) => metadata.name === "default-deny") as NetworkPolicy[];
  const places = placesOf(test);
  for (const from of places.filter(({ end }) => end.kind === "pod" && end.namespace === "tk-demo")) {
    for (const to of places.filter((place) => place !== from)) {
      for (const target of targetsOf(test)) expect(mayConnect(deny, from.end, to.end, target)).toBe(false);
    }
  }
});
