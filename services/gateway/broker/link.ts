import { setTimeout as sleep } from "node:timers/promises";
import { connect, type MqttClient } from "mqtt";
import { cmdTopic, receiptTopic, statusTopic, trustTopic, upTopic } from "../../../protocol/topics.ts";
import { createBackoff } from "../../runtime/backoff.ts";
import { type PinnedTarget, pinnedConnect } from "../../runtime/pins.ts";
import type { Tls13Options } from "../../runtime/tls.ts";

/** The gateway's connection to the broker, made again whenever it breaks. */
export interface BrokerLink {
  readonly connected: () => boolean;
  /** Ends the connection and makes a new one, with the credential of now. */
  readonly renew: () => void;
  /** Publishes an envelope with QoS 1; its receipt is the only answer that counts. */
  readonly publish: (sensorId: string, bytes: Uint8Array) => void;
  readonly stop: () => Promise<void>;
}

/** What {@link createBrokerLink} is handed. */
export interface BrokerLinkOptions {
  /** Name of the gateway: client id, and its part of every topic. */
  readonly gateway: string;
  readonly broker: PinnedTarget;
  /** What to connect with now; null where there is nothing yet. */
  readonly tls: () => Tls13Options | null;
  /** Software version, for the status topic. */
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onUp: () => void;
  readonly onDown: () => void;
  readonly onMessage: (topic: string, payload: Buffer) => void;
  readonly onError: (error: unknown) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const FAREWELL_MS = 500;
const KEEPALIVE_SECONDS = 20;

/**
 * Connects over TLS 1.3 (MQTT 3.1.1, QoS 1). The session is clean and every attempt a client of its own: nothing is sent
 * again but from the spool. The gateway announces itself once it listens, so that who waited for it sends what it missed.
 */
export function createBrokerLink(options: BrokerLinkOptions): BrokerLink {
  const { gateway, broker, now } = options;
  const backoff = createBackoff();
  let client: MqttClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let up = false;

  const status = (state: "online" | "offline"): string =>
    JSON.stringify({ state, version: options.version, at: new Date(now()).toISOString() });

  async function begin(attempt: MqttClient): Promise<void> {
    await attempt.subscribeAsync([trustTopic(gateway), receiptTopic(gateway), cmdTopic(gateway, "+")], { qos: 1 });
    attempt.publish(statusTopic(gateway), status("online"), { qos: 1, retain: true });
    backoff.reset();
    up = true;
    options.onUp();
  }

  function open(): void {
    const tls = options.tls();
    if (tls === null) {
      timer = setTimeout(open, backoff.next());
      return;
    }
    const attempt = connect({
      ...tls,
      ...pinnedConnect(broker),
      protocol: "mqtts",
      protocolVersion: 4,
      clientId: gateway,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: KEEPALIVE_SECONDS,
      will: { topic: statusTopic(gateway), payload: Buffer.from(status("offline")), qos: 1, retain: true },
    });
    client = attempt;
    attempt.on("connect", () => {
      begin(attempt).catch((error: unknown) => {
        options.onError(error);
        attempt.end(true);
      });
    });
    attempt.on("message", options.onMessage);
    attempt.on("error", options.onError);
    attempt.once("close", () => {
      attempt.end(true);
      if (up) options.onDown();
      up = false;
      if (!stopped) timer = setTimeout(open, backoff.next());
    });
  }
  open();

  return {
    connected: () => up,
    renew: () => {
      if (up) client?.end();
    },
    publish: (sensorId, bytes) => {
      client?.publish(upTopic(gateway, sensorId), Buffer.from(bytes), { qos: 1 });
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      // A broker that is gone answers no more; its own clock tells it that we are.
      const farewell = up && client?.publishAsync(statusTopic(gateway), status("offline"), { qos: 1, retain: true });
      await Promise.race([farewell, sleep(FAREWELL_MS)]).catch(options.onError);
      await client?.endAsync(true);
    },
  };
}
