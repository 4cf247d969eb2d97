import type { V1NetworkPolicyPeer } from "@kubernetes/client-node";
import type { Model } from "../../model/boundary.ts";
import type { Port } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Peers } from "../../model/kubernetes.ts";
import { componentLabels, deploymentLabels, type Labels, NAMESPACE_LABEL, selectorLabels } from "./labels.ts";
import type { NetworkPolicy } from "./objects.ts";
import { outsideOf } from "./outside.ts";
import { type Pod, podNamed } from "./pods.ts";
import { asksForNames } from "./workloads.ts";

/**
 * Nothing comes in and nothing goes out, but what the model's flows say, each by a policy of its own at either end; names are asked
 * for by who connects, at the cluster's resolver and at no other; published ports are reached from where the deployment says, and keys where it says they are.
 */
export function policiesOf(model: Model, pods: readonly Pod[], deployment: Deployment): readonly NetworkPolicy[] {
  return [
    denyAll(deployment),
    ...pods.flatMap((pod) => dnsOf(pod, model, deployment)),
    ...flowPolicies(model, pods, deployment),
    ...pods.flatMap((pod) => publishedOf(pod, deployment)),
    ...outsideOf(deployment).flatMap(({ component, name, port, peers }) => {
      const pod = podNamed(pods, component);
      const to = peersOf(peers);
      return pod === undefined
        ? []
        : [egress(`${component}.${name}.egress`, pod, to, { port, protocol: "tcp" }, deployment)];
    }),
  ];
}

function denyAll(deployment: Deployment): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: "default-deny",
      namespace: deployment.kubernetes.namespace,
      labels: deploymentLabels(deployment),
    },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  };
}

function dnsOf(pod: Pod, model: Model, deployment: Deployment): readonly NetworkPolicy[] {
  if (!pod.components.some(({ name, network }) => network && asksForNames(name, model))) return [];
  const { peers, port } = deployment.kubernetes.resolver;
  return [
    {
      ...policyBase(`${pod.name}.dns`, pod, deployment),
      spec: {
        podSelector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
        policyTypes: ["Egress"],
        egress: [{ to: peers.flatMap(peersOf), ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port })) }],
      },
    },
  ];
}

function flowPolicies(model: Model, pods: readonly Pod[], deployment: Deployment): readonly NetworkPolicy[] {
  return model.flows.flatMap(({ from, to, port: portName, protection, byEngine }) => {
    if (protection === "unix" || byEngine === true) return [];
    const listener = model.components.find(({ name }) => name === to);
    const asker = model.components.find(({ name }) => name === from);
    const port = listener?.ports.find(({ name }) => name === portName);
    if (port === undefined) return [];
    const [source, target] = [podNamed(pods, from), podNamed(pods, to)];
    const name = `${from}.${to}.${portName}`;
    const peerOf = (pod: Pod | undefined, peers: Peers | undefined) =>
      pod === undefined ? peersOf(peers) : [ownPeer(pod, deployment)];
    return [
      ...(target === undefined
        ? []
        : [ingress(`${name}.ingress`, target, peerOf(source, asker?.external?.peers), port, deployment)]),
      ...(source === undefined
        ? []
        : [egress(`${name}.egress`, source, peerOf(target, listener?.external?.peers), port, deployment)]),
    ];
  });
}

function publishedOf(pod: Pod, deployment: Deployment): readonly NetworkPolicy[] {
  const { from } = deployment.kubernetes.publish;
  if (from.length === 0) return [];
  return pod.components.flatMap((component) =>
    component.ports
      .filter(({ publish }) => publish === true)
      .map((port) => {
        const peers = peersOf({ kind: "addresses", networks: from });
        return ingress(`${component.name}.${port.name}.published`, pod, peers, port, deployment);
      }),
  );
}

type PolicyPort = Pick<Port, "port" | "protocol">;

// A rule without peers would be one for everybody: there is none without any.
function ingress(
  name: string,
  pod: Pod,
  from: readonly V1NetworkPolicyPeer[],
  port: PolicyPort,
  deployment: Deployment,
): NetworkPolicy {
  return {
    ...policyBase(name, pod, deployment),
    spec: {
      podSelector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
      policyTypes: ["Ingress"],
      ingress: from.length === 0 ? [] : [{ from: [...from], ports: [portOf(port)] }],
    },
  };
}

function egress(
  name: string,
  pod: Pod,
  to: readonly V1NetworkPolicyPeer[],
  port: PolicyPort,
  deployment: Deployment,
): NetworkPolicy {
  return {
    ...policyBase(name, pod, deployment),
    spec: {
      podSelector: { matchLabels: { ...selectorLabels(deployment, pod.name) } },
      policyTypes: ["Egress"],
      egress: to.length === 0 ? [] : [{ to: [...to], ports: [portOf(port)] }],
    },
  };
}

function policyBase(name: string, { components }: Pod, deployment: Deployment) {
  const labels: Labels = componentLabels(deployment, components[0]);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: deployment.kubernetes.namespace, labels: { ...labels } },
  } as const;
}

function portOf({ port, protocol }: PolicyPort) {
  return { protocol: protocol.toUpperCase(), port };
}

function ownPeer({ name }: Pod, deployment: Deployment): V1NetworkPolicyPeer {
  return { podSelector: { matchLabels: { ...selectorLabels(deployment, name) } } };
}

function peersOf(peers: Peers | undefined): V1NetworkPolicyPeer[] {
  if (peers === undefined) return [];
  if (peers.kind === "addresses") return peers.networks.map((cidr) => ({ ipBlock: { cidr } }));
  const { namespace, labels } = peers;
  return [
    {
      namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: namespace } },
      podSelector: { matchLabels: { ...labels } },
    },
  ];
}
