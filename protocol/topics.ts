import { isHex } from "./hex.ts";

const ROOT = "tk/v1";
const NAME = "[a-z0-9-]{1,60}";
const IDENTITY = new RegExp(`^(gw|svc)-${NAME}$`);
const GATEWAY = new RegExp(`^gw-${NAME}$`);

/** Who a client certificate's common name says that it is. Operators (`op-…`) are no clients of the broker. */
export interface Identity {
  readonly kind: "gateway" | "service";
  /** The whole common name. */
  readonly name: string;
}

/** Who may use a topic: a gateway under its own name alone, or one of our services. */
export type Client = "gateway" | "svc-collector" | "svc-backend";

/** One row of the access table. */
export interface TopicAccess {
  readonly topic: "up" | "receipt" | "trust" | "cmd" | "status" | "ota";
  /** Whether a level with the sensor's id follows. */
  readonly perSensor: boolean;
  readonly publish: Client;
  readonly subscribe: readonly Client[];
  readonly retained: boolean;
}

/** Who may publish and subscribe what below `tk/v1/<gateway>/`. Every broker renders this table, and no other. */
export const ACCESS: readonly TopicAccess[] = [
  { topic: "up", perSensor: true, publish: "gateway", subscribe: ["svc-collector"], retained: false },
  { topic: "receipt", perSensor: false, publish: "svc-collector", subscribe: ["gateway"], retained: false },
  { topic: "trust", perSensor: false, publish: "svc-backend", subscribe: ["gateway"], retained: true },
  { topic: "cmd", perSensor: true, publish: "svc-backend", subscribe: ["gateway"], retained: false },
  {
    topic: "status",
    perSensor: false,
    publish: "gateway",
    subscribe: ["svc-backend", "svc-collector"],
    retained: true,
  },
  { topic: "ota", perSensor: true, publish: "gateway", subscribe: ["svc-backend", "svc-collector"], retained: false },
];

/** Group of the collector's shared subscription, where the broker has them. */
export const COLLECTOR_GROUP = "collector";

/** Topic of a sensor's envelopes. Also a filter, with `+` for either part, as all of these. */
export const upTopic = (gateway: string, sensorId: string): string => `${ROOT}/${gateway}/up/${sensorId}`;
/** Topic of the collector's receipts to a gateway. */
export const receiptTopic = (gateway: string): string => `${ROOT}/${gateway}/receipt`;
/** Topic of a gateway's signed allowlist. */
export const trustTopic = (gateway: string): string => `${ROOT}/${gateway}/trust`;
/** Topic of a signed update for one sensor. */
export const cmdTopic = (gateway: string, sensorId: string): string => `${ROOT}/${gateway}/cmd/${sensorId}`;
/** Topic of a gateway's state. */
export const statusTopic = (gateway: string): string => `${ROOT}/${gateway}/status`;
/** Topic of a sensor's OTA events. */
export const otaTopic = (gateway: string, sensorId: string): string => `${ROOT}/${gateway}/ota/${sensorId}`;

/** The identity of a common name, or null for one that may not use the broker. */
export function parseIdentity(commonName: string): Identity | null {
  const match = IDENTITY.exec(commonName);
  return match === null ? null : { kind: match[1] === "gw" ? "gateway" : "service", name: commonName };
}

/** Gateway and sensor id (lower-case hex) of an `up` topic, or null for any other topic. */
export function parseUpTopic(topic: string): { readonly gateway: string; readonly sensorId: string } | null {
  const parsed = parse(topic, isGateway, isSensorId);
  return parsed?.row.topic === "up" && parsed.sensor !== undefined
    ? { gateway: parsed.gateway, sensorId: parsed.sensor }
    : null;
}

/** Whether a client of that common name may publish to a topic. */
export function mayPublish(commonName: string, topic: string): boolean {
  const parsed = parse(topic, isGateway, isSensorId);
  return parsed !== null && isClient(commonName, parsed.row.publish, parsed.gateway);
}

/** Whether a message of that topic may be delivered to a client of that common name. */
export function mayReceive(commonName: string, topic: string): boolean {
  const parsed = parse(topic, isGateway, isSensorId);
  return parsed?.row.subscribe.some((client) => isClient(commonName, client, parsed.gateway)) ?? false;
}

/** Whether a client of that common name may subscribe to a filter. `#` is granted to nobody. */
export function maySubscribe(commonName: string, filter: string): boolean {
  const shared = `$share/${COLLECTOR_GROUP}/`;
  const plain = commonName === "svc-collector" && filter.startsWith(shared) ? filter.slice(shared.length) : filter;
  const parsed = parse(plain, orPlus(isGateway), orPlus(isSensorId));
  return parsed?.row.subscribe.some((client) => isClient(commonName, client, parsed.gateway)) ?? false;
}

interface ParsedTopic {
  readonly row: TopicAccess;
  readonly gateway: string;
  readonly sensor: string | undefined;
}

type Level = (text: string) => boolean;

const isGateway: Level = (text) => GATEWAY.test(text);
const isSensorId: Level = (text) => isHex(text, 9);
const orPlus =
  (level: Level): Level =>
  (text) =>
    text === "+" || level(text);

function parse(topic: string, gatewayLevel: Level, sensorLevel: Level): ParsedTopic | null {
  const [tk, version, gateway = "", name, sensor, ...more] = topic.split("/");
  const row = ACCESS.find((candidate) => candidate.topic === name);
  if (row === undefined || `${tk}/${version}` !== ROOT || more.length > 0 || !gatewayLevel(gateway)) return null;
  if (row.perSensor ? sensor === undefined || !sensorLevel(sensor) : sensor !== undefined) return null;
  return { row, gateway, sensor };
}

/** A service has the whole row; a gateway only what stands under its own name, so never a `+` in its place. */
function isClient(commonName: string, client: Client, gateway: string): boolean {
  return client === "gateway" ? isGateway(commonName) && commonName === gateway : commonName === client;
}
