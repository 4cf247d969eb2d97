import {
  ACCESS,
  type Client,
  cmdTopic,
  otaTopic,
  receiptTopic,
  statusTopic,
  type TopicAccess,
  trustTopic,
  upTopic,
} from "../../protocol/topics.ts";
import { assertLines } from "./lines.ts";

/** Common name of the broker itself: its guard connects to it, to probe it and to end sessions. */
export const BROKER_IDENTITY = "svc-broker";

/** Where Mosquitto takes the command to end sessions, of the guard alone. */
const CONTROL_TOPIC = "$CONTROL/dynamic-security/v1";

/** Filter of a row below one gateway, or with `+` below all. */
const FILTER: Readonly<Record<TopicAccess["topic"], (gateway: string) => string>> = {
  up: (gateway) => upTopic(gateway, "+"),
  receipt: receiptTopic,
  trust: trustTopic,
  cmd: (gateway) => cmdTopic(gateway, "+"),
  status: statusTopic,
  ota: (gateway) => otaTopic(gateway, "+"),
};

/**
 * The access table as Mosquitto's `acl_file`: who is not named may do nothing. A user is the whole subject of a certificate,
 * so that the gateways' authority, whose name constraints bind the organisational unit alone, cannot make itself a service.
 * `+` is the closest that the format has to a sensor's id.
 * @throws MOSQUITTO_VALUE_INVALID
 */
export function renderAcl(tenant: string, gateways: readonly string[]): string {
  assertLines({ tenant: [tenant, /^[a-z0-9-]+$/], ...named(gateways) });
  const services = new Set(ACCESS.flatMap(({ publish, subscribe }) => [publish, ...subscribe]).filter(isService));
  const blocks = [
    ...gateways.map((name) => [`user ${subject(name, "gateways", tenant)}`, ...rules("gateway", name)]),
    ...[...services].map((name) => [`user ${subject(name, "services", tenant)}`, ...rules(name, "+")]),
    [
      `user ${subject(BROKER_IDENTITY, "services", tenant)}`,
      `topic write ${CONTROL_TOPIC}`,
      `topic read ${CONTROL_TOPIC}/response`,
    ],
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function rules(client: Client, gateway: string): readonly string[] {
  return ACCESS.flatMap(({ topic, publish, subscribe }) => [
    ...(publish === client ? [`topic write ${FILTER[topic](gateway)}`] : []),
    ...(subscribe.includes(client) ? [`topic read ${FILTER[topic](gateway)}`] : []),
  ]);
}

function isService(client: Client): boolean {
  return client !== "gateway";
}

/** RFC 2253 writes a subject from its end. */
function subject(commonName: string, unit: "gateways" | "services", tenant: string): string {
  return `CN=${commonName},OU=${unit},O=${tenant}`;
}

function named(gateways: readonly string[]): Record<string, readonly [string, RegExp]> {
  return Object.fromEntries(gateways.map((name, index) => [`gateways.${index}`, [name, /^gw-[a-z0-9-]{1,60}$/]]));
}
