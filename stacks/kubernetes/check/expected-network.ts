import type { Peers } from "../../../model/kubernetes.ts";
import { type CheckContext, type CheckedPod, commonLabels, labelsOf, selectorOf } from "./context.ts";

interface Door {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** Every network policy that there has to be, and no other, as the model's flows say it. */
export function expectedPolicies(pods: readonly CheckedPod[], context: CheckContext): readonly object[] {
  const { model, deployment } = context;
  const { namespace, publish, resolver, keys, issuingKeys } = deployment.kubernetes;
  const podOf = (component: string) => pods.find(({ components }) => components.some(({ name }) => name === component));
  const policy = (
    name: string,
    pod: CheckedPod,
    direction: "Ingress" | "Egress",
    peers: readonly object[],
    doors: readonly Door[],
  ) => {
    const ports = doors.map(({ port, protocol }) => ({ protocol: protocol === "udp" ? "UDP" : "TCP", port }));
    const rule = direction === "Ingress" ? { ingress: [{ from: peers, ports }] } : { egress: [{ to: peers, ports }] };
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace, labels: labelsOf(pod.components[0], context) },
      spec: { podSelector: { matchLabels: selectorOf(pod.name, context) }, policyTypes: [direction], ...rule },
    };
  };
  const inside = (pod: CheckedPod) => [{ podSelector: { matchLabels: selectorOf(pod.name, context) } }];
  const networked = model.flows.filter(({ protection, byEngine }) => protection !== "unix" && !byEngine);
  const flows = networked.flatMap(({ from, to, port: name }) => {
    const [asker, listener] = [from, to].map((end) => model.components.find((component) => component.name === end));
    const doors = (listener?.ports ?? []).filter((port) => port.name === name);
    const [source, target] = [podOf(from), podOf(to)];
    const sourcePeers = source === undefined ? outside(asker?.external?.peers) : inside(source);
    const targetPeers = target === undefined ? outside(listener?.external?.peers) : inside(target);
    return [
      ...(target === undefined ? [] : [policy(`${from}.${to}.${name}.ingress`, target, "Ingress", sourcePeers, doors)]),
      ...(source === undefined ? [] : [policy(`${from}.${to}.${name}.egress`, source, "Egress", targetPeers, doors)]),
    ];
  });
  const dns = resolver.peers.flatMap((each) => outside(each));
  const asking = pods.filter(({ components }) =>
    components.some(
      ({ name, network }) => network && (name === "custody" || networked.some(({ from }) => from === name)),
    ),
  );
  const published = pods.flatMap((pod) =>
    pod.components.flatMap((component) =>
      component.ports
        .filter((port) => port.publish && publish.from.length > 0)
        .map((port) =>
          policy(
            `${component.name}.${port.name}.published`,
            pod,
            "Ingress",
            publish.from.map((cidr) => ({ ipBlock: { cidr } })),
            [port],
          ),
        ),
    ),
  );
  const keyDoor = { port: keyPort(context), protocol: "tcp" } as const;
  const places = [
    ...(keys !== undefined && deployment.custody.kind === "vault"
      ? [{ component: "custody", door: keyDoor, peers: keys }]
      : []),
    ...(keys !== undefined && deployment.custody.kind === "aws-kms"
      ? [{ component: "custody", door: keyDoor, peers: keys }]
      : []),
    ...(issuingKeys !== undefined && deployment.pki.issuing.kind === "aws-kms"
      ? ["gateways-ca", "operators-ca"].map((component) => ({
          component,
          door: { port: 443, protocol: "tcp" } as const,
          peers: issuingKeys,
        }))
      : []),
  ];
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "default-deny", namespace, labels: commonLabels(context) },
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    },
    ...asking.map((pod) =>
      policy(`${pod.name}.dns`, pod, "Egress", dns, [
        { port: resolver.port, protocol: "udp" },
        { port: resolver.port, protocol: "tcp" },
      ]),
    ),
    ...flows,
    ...published,
    ...places.flatMap(({ component, door, peers }) => {
      const pod = podOf(component);
      return pod === undefined ? [] : [policy(`${component}.keys.egress`, pod, "Egress", outside(peers), [door])];
    }),
  ];
}

function keyPort({ deployment: { custody } }: CheckContext): number {
  return custody.kind === "vault" ? Number(new URL(custody.address).port || 443) : 443;
}

function outside(peers: Peers | undefined): readonly object[] {
  if (peers?.kind === "addresses") return peers.networks.map((cidr) => ({ ipBlock: { cidr } }));
  return [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": peers?.namespace } },
      podSelector: { matchLabels: peers?.labels },
    },
  ];
}
