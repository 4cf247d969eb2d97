import mqtt from "mqtt";
import { COLLECTOR_GROUP, parseUpTopic, receiptTopic, upTopic } from "../../protocol/topics.ts";
import { createBackoff } from "../runtime/backoff.ts";
import { isPinProblem, pinnedConnect } from "../runtime/pins.ts";
import type { Tls13Options } from "../runtime/tls.ts";

/** The collector's side of the broker. */
export interface BrokerClient {
  /** Whether envelopes come in. */
  readonly ready: () => boolean;
  /** Sends a receipt message; while the broker is away it is dropped, since the gateway asks again by sending again. */
  readonly sendReceipts: (gateway: string, receipts: Uint8Array) => void;
  readonly close: () => Promise<void>;
}

/** What {@link connectBroker} needs. */
export interface BrokerClientOptions {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  /** @default the broker's name alone is checked */
  readonly pinsFile?: string | undefined;
  /** Read anew at each connect. */
  readonly tls: Tls13Options;
  readonly clientId: string;
  readonly sharedSubscription: boolean;
  /** Called for every envelope, in the library's callback: it must not wait. */
  readonly onEnvelope: (gateway: string, sensorId: string, bytes: Uint8Array) => void;
  readonly onState: (state: "connected" | "away" | "refused", reason: string | null) => void;
  /** Called when what answers has a valid certificate of the broker's name, and no key of its. */
  readonly onImpostor: (reason: string) => void;
}

/** Topics whose parsed form is kept. */
const TOPIC_CACHE = 10_000;

/**
 * Connects, and reconnects with back-off. The session is clean and the subscription QoS 0: a broker's queue for a collector is
 * memory that a crash loses anyway. What is lost has no receipt, so the gateway sends it again.
 */
export function connectBroker(options: BrokerClientOptions): BrokerClient {
  const backoff = createBackoff();
  const client = mqtt.connect({
    protocol: "mqtts",
    ...options.tls,
    ...pinnedConnect(options),
    rejectUnauthorized: true,
    clientId: options.clientId,
    protocolVersion: 4,
    clean: true,
    keepalive: 20,
    connectTimeout: 5000,
    reconnectPeriod: backoff.next(),
    resubscribe: false,
    queueQoSZero: false,
  });
  const topics = new Map<string, ReturnType<typeof parseUpTopic>>();
  let subscribed = false;
  let reason: string | null = null;

  client.on("connect", () => {
    backoff.reset();
    reason = null;
    const filter = upTopic("+", "+");
    client.subscribe(
      options.sharedSubscription ? `$share/${COLLECTOR_GROUP}/${filter}` : filter,
      { qos: 0 },
      (error) => {
        subscribed = !error;
        options.onState(error ? "refused" : "connected", error?.message ?? null);
      },
    );
  });
  client.on("message", (topic, payload) => {
    const parsed = topics.get(topic) ?? remember(topics, topic);
    if (parsed) options.onEnvelope(parsed.gateway, parsed.sensorId, payload);
  });
  client.on("error", (error) => {
    reason = error.message;
    if (isPinProblem(error)) options.onImpostor(error.code);
  });
  client.on("reconnect", () => Object.assign(client.options, options.tls));
  client.on("close", () => {
    if (subscribed || reason !== null) options.onState("away", reason);
    subscribed = false;
    client.options.reconnectPeriod = backoff.next();
  });

  return {
    ready: () => subscribed,
    sendReceipts: (gateway, receipts) => {
      if (client.connected) client.publish(receiptTopic(gateway), Buffer.from(receipts), { qos: 1 });
    },
    close: () => client.endAsync(),
  };
}

function remember(
  topics: Map<string, ReturnType<typeof parseUpTopic>>,
  topic: string,
): ReturnType<typeof parseUpTopic> {
  if (topics.size >= TOPIC_CACHE) topics.clear();
  const parsed = parseUpTopic(topic);
  topics.set(topic, parsed);
  return parsed;
}
