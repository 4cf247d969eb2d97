import type { MqttClient } from "mqtt";
import { cmdTopic, statusTopic, trustTopic } from "../../../protocol/topics.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { Allowlists } from "./allowlists.ts";
import type { StoredUpdate, Updates } from "./updates.ts";

/** What a connection to the broker hands out. */
export interface SessionOptions {
  readonly gateways: readonly string[];
  readonly allowlists: Pick<Allowlists, "signed" | "version">;
  readonly updates: Pick<Updates, "newest">;
  readonly log: { readonly info: (message: string) => void; readonly warn: (fields: object, message: string) => void };
}

/** One connection to the broker, from connect to close. */
export interface Session {
  /** Publishes the newest allowlists, at once or after those that are on their way. */
  readonly publishAllowlists: () => void;
  /** Publishes an update to every gateway. */
  readonly publishUpdate: (update: StoredUpdate) => void;
  /** The version that every gateway's topic has, -1 for none. */
  readonly publishedVersion: () => number;
  readonly closed: Promise<void>;
}

/** Publishes every allowlist, and a gateway's updates whenever the gateway says that it is online. A failure ends the connection. */
export function openSession(client: MqttClient, options: SessionOptions): Session {
  const { gateways, updates, log } = options;
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const fail = (thrown: unknown): void => {
    log.warn({ reason: messageOf(thrown) }, "the connection to the broker failed");
    client.end(true);
  };
  let publishedVersion = -1;
  let asked = false;
  let busy = false;
  const publishAllowlists = async (): Promise<void> => {
    asked = true;
    if (busy) return;
    busy = true;
    while (asked) {
      asked = false;
      publishedVersion = await publishTrust(client, options);
    }
    busy = false;
  };

  client.on("error", fail);
  client.on("message", (topic, payload) => {
    const gateway = gatewayOnline(topic, payload, gateways);
    if (gateway) void publishUpdates(client, [gateway], updates.newest()).catch(fail);
  });
  void client.subscribeAsync(statusTopic("+"), { qos: 1 }).catch(fail);
  void publishAllowlists().catch(fail);
  return {
    publishAllowlists: () => void publishAllowlists().catch(fail),
    publishUpdate: (update) => void publishUpdates(client, gateways, [update]).catch(fail),
    publishedVersion: () => publishedVersion,
    closed,
  };
}

/** Gives the oldest version among those published, since a change may come in between. */
async function publishTrust(client: MqttClient, { gateways, allowlists }: SessionOptions): Promise<number> {
  let oldest = allowlists.version();
  for (const gateway of gateways) {
    const { version, dsse } = await allowlists.signed(`gateway/${gateway}`);
    await client.publishAsync(trustTopic(gateway), dsse, { qos: 1, retain: true });
    oldest = Math.min(oldest, version);
  }
  return oldest;
}

async function publishUpdates(
  client: MqttClient,
  gateways: readonly string[],
  updates: readonly StoredUpdate[],
): Promise<void> {
  for (const gateway of gateways)
    for (const { sensorId, bytes } of updates)
      await client.publishAsync(cmdTopic(gateway, sensorId), Buffer.from(bytes), { qos: 1 });
}

/** The gateway that says that it is online, or null for any other message. */
export function gatewayOnline(topic: string, payload: Uint8Array, gateways: readonly string[]): string | null {
  const gateway = gateways.find((name) => statusTopic(name) === topic);
  if (!gateway || payload.length > 4096) return null;
  try {
    const status: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return (status as { state?: unknown } | null)?.state === "online" ? gateway : null;
  } catch {
    return null;
  }
}
