import { BlockList } from "node:net";
import type { V1LabelSelector } from "@kubernetes/client-node";
import type { NetworkPolicy } from "./objects.ts";

type Spec = NetworkPolicy["spec"];
type Peer = NonNullable<NonNullable<Spec["egress"]>[number]["to"]>[number];
type PolicyPort = NonNullable<NonNullable<Spec["egress"]>[number]["ports"]>[number];
type Labels = Readonly<Record<string, string>>;

/** One end of a connection: a pod, or an address outside of the cluster. */
export type End =
  | {
      readonly kind: "pod";
      readonly namespace: string;
      readonly namespaceLabels: Labels;
      readonly labels: Labels;
      readonly address: string;
      /** Its container ports by name, which a policy may name instead of a number. @default none */
      readonly ports?: Readonly<Record<string, number>>;
    }
  | { readonly kind: "outside"; readonly address: string };

/** Where a connection goes. */
export interface Target {
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

/**
 * Whether policies let one end connect to another, as networking.k8s.io/v1 says it: a pod that no policy of a direction selects is
 * open in it, one that some select is open to what any of them lists, and both ends have to agree.
 */
export function mayConnect(policies: readonly NetworkPolicy[], from: End, to: End, target: Target): boolean {
  return mayLeave(policies, from, to, target) && mayEnter(policies, from, to, target);
}

function mayLeave(policies: readonly NetworkPolicy[], from: End, to: End, target: Target): boolean {
  if (from.kind === "outside") return true;
  const selecting = policies.filter((policy) => selectsPod(policy, from) && isOf(policy.spec, "Egress"));
  if (selecting.length === 0) return true;
  return selecting.some((policy) =>
    (policy.spec.egress ?? []).some(
      ({ to: peers, ports }) => meets(peers, to, namespaceOf(policy)) && opens(ports, to, target),
    ),
  );
}

function mayEnter(policies: readonly NetworkPolicy[], from: End, to: End, target: Target): boolean {
  if (to.kind === "outside") return true;
  const selecting = policies.filter((policy) => selectsPod(policy, to) && isOf(policy.spec, "Ingress"));
  if (selecting.length === 0) return true;
  return selecting.some((policy) =>
    (policy.spec.ingress ?? []).some(
      ({ from: peers, ports }) => meets(peers, from, namespaceOf(policy)) && opens(ports, to, target),
    ),
  );
}

function namespaceOf({ metadata }: NetworkPolicy): string {
  return metadata.namespace ?? "default";
}

function selectsPod(policy: NetworkPolicy, end: End): boolean {
  return (
    end.kind === "pod" && end.namespace === namespaceOf(policy) && selects(policy.spec.podSelector ?? {}, end.labels)
  );
}

/** Without a list a policy is of Ingress, and of Egress where it has rules for that. */
function isOf({ policyTypes, egress }: Spec, type: "Ingress" | "Egress"): boolean {
  if (policyTypes !== undefined && policyTypes.length > 0) return policyTypes.includes(type);
  return type === "Ingress" || (egress !== undefined && egress.length > 0);
}

/** No list, or an empty one, is everybody. */
function meets(peers: readonly Peer[] | undefined, end: End, own: string): boolean {
  return peers === undefined || peers.length === 0 || peers.some((peer) => meetsPeer(peer, end, own));
}

function meetsPeer({ ipBlock, podSelector, namespaceSelector }: Peer, end: End, own: string): boolean {
  if (ipBlock !== undefined) {
    // What a pod's address is to a block is the network plugin's business; the API says that blocks are for what is outside.
    if (end.kind === "pod") return false;
    return within(ipBlock.cidr, end.address) && !(ipBlock.except ?? []).some((cidr) => within(cidr, end.address));
  }
  if (end.kind === "outside" || (podSelector === undefined && namespaceSelector === undefined)) return false;
  const inNamespace =
    namespaceSelector === undefined ? end.namespace === own : selects(namespaceSelector, end.namespaceLabels);
  return inNamespace && (podSelector === undefined || selects(podSelector, end.labels));
}

function selects({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value);
  return (
    equal &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labelOf(labels, key);
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      if (operator === "In") return value !== undefined && values.includes(value);
      // A label that is not there is in no list.
      return operator === "NotIn" && (value === undefined || !values.includes(value));
    })
  );
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** No list, or an empty one, is every port. */
function opens(ports: readonly PolicyPort[] | undefined, end: End, { port, protocol }: Target): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some((rule) => {
    if ((rule.protocol ?? "TCP") !== protocol) return false;
    if (rule.port === undefined) return true;
    if (typeof rule.port === "string") return end.kind === "pod" && end.ports?.[rule.port] === port;
    return rule.endPort === undefined ? port === rule.port : port >= rule.port && port <= rule.endPort;
  });
}

function within(cidr: string, address: string): boolean {
  const [network = "", prefix] = cidr.split("/");
  const list = new BlockList();
  const family = network.includes(":") ? "ipv6" : "ipv4";
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
