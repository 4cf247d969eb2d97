import { type PeerSubject, peerName } from "../../certs/peer-name.ts";
import { ACCESS, mayPublish, maySubscribe, parseIdentity } from "../../protocol/topics.ts";

/** Our services that the access table names; another service's certificate does not open the broker. */
const SERVICES: ReadonlySet<string> = new Set(ACCESS.flatMap(({ publish, subscribe }) => [publish, ...subscribe]));

/** Why something was refused; goes into security events as it is. */
export type Denial =
  | "identity"
  | "protocol-version"
  | "client-id"
  | "will"
  | "topic"
  | "retain"
  | "qos"
  | "too-many-subscriptions"
  | "shared-subscription";

/** The parts of a PUBLISH, or of a will, that decide whether it may be published. */
export interface Publication {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** The parts of a CONNECT that decide. */
export interface Connection {
  readonly protocolVersion: number;
  readonly clientId: string;
  readonly will: Publication | undefined;
}

/** Longest client id, in UTF-16 code units. */
const MAX_CLIENT_ID = 128;

/** The common name of a verified peer that may use the broker, or null. */
export function admittedName(subject: PeerSubject | undefined): string | null {
  const identity = parseIdentity(peerName(subject) ?? "");
  return identity !== null && (identity.kind === "gateway" || SERVICES.has(identity.name)) ? identity.name : null;
}

/** Why a client may not connect like this, or null when it may. A will is checked as what it is: a publication. */
export function connectDenial(name: string, { protocolVersion, clientId, will }: Connection): Denial | null {
  if (protocolVersion !== 4) return "protocol-version";
  if (clientId.length > MAX_CLIENT_ID || clientId.includes("\0")) return "client-id";
  return will === undefined || publishDenial(name, will) === null ? null : "will";
}

/** Why a client may not publish this, or null when it may. Nothing of ours uses QoS 2, whose state would have to be kept. */
export function publishDenial(name: string, { topic, qos, retain }: Publication): Denial | null {
  if (!mayPublish(name, topic)) return "topic";
  if (qos > 1) return "qos";
  return retain && !isRetained(topic) ? "retain" : null;
}

/** Why a client may not subscribe to a filter, or null when it may. The library knows no shared subscriptions. */
export function subscribeDenial(name: string, filter: string): Denial | null {
  if (!maySubscribe(name, filter)) return "topic";
  return filter.startsWith("$") ? "shared-subscription" : null;
}

/** Whether the last message of a topic is kept: else one client could fill the memory with a topic for each sensor id. */
function isRetained(topic: string): boolean {
  return ACCESS.some((row) => row.retained && row.topic === topic.split("/")[3]);
}
