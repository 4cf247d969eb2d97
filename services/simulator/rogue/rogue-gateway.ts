import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import type { z } from "zod";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { decodeReceipts, RECEIPT_DIGEST_BYTES } from "../../../protocol/receipt.ts";
import { receiptTopic, upTopic } from "../../../protocol/topics.ts";
import type { Verdict } from "../../../protocol/verdict.ts";
import type { brokerConfig } from "../../runtime/config.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import type { Sensor } from "../sensor/sensor.ts";
import { type Attack, type AttackKind, captured, forge } from "./forgeries.ts";

/** The collector's word about an attack. */
export interface AttackReceipt {
  readonly kind: AttackKind;
  /** First 16 bytes of SHA-256 of the envelope, lower-case hex. */
  readonly digest: string;
  /** null when no receipt came in time. */
  readonly verdict: Verdict | null;
}

/** Name of the rogue gateway, which is the common name of its certificate. */
const NAME = "gw-rogue";
const RECEIPT_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/**
 * A gateway with a valid certificate and no checks: publishes attacks straight to the broker, and waits for receipts.
 * @throws SIM_NOTHING_CAPTURED
 */
export async function attackByGateway(
  kinds: readonly AttackKind[],
  sensor: Sensor,
  broker: z.infer<typeof brokerConfig>,
  tls: Tls13Options,
): Promise<readonly AttackReceipt[]> {
  const heard = captured(sensor);
  const verdicts = new Map<string, Verdict>();
  const mqtt = await connectAsync({ ...broker, ...tls, protocol: "mqtts", protocolVersion: 4, reconnectPeriod: 0 });
  try {
    mqtt.on("message", (_, payload) => {
      for (const [digest, verdict] of decodeReceipts(payload)) verdicts.set(hexOf(digest), verdict);
    });
    await mqtt.subscribeAsync(receiptTopic(NAME), { qos: 1 });
    const receipts: AttackReceipt[] = [];
    for (const kind of kinds) {
      // A replay is one only once the first message is stored.
      if (kind === "replayed") await publish(mqtt, { sensorId: sensor.id, bytes: heard.bytes }, verdicts);
      receipts.push({ kind, ...(await publish(mqtt, await forge(kind, sensor, heard), verdicts)) });
    }
    return receipts;
  } finally {
    await mqtt.endAsync();
  }
}

async function publish(
  mqtt: MqttClient,
  { sensorId, bytes }: Attack,
  verdicts: Map<string, Verdict>,
): Promise<Omit<AttackReceipt, "kind">> {
  const digest = hexOf(envelopeDigest(bytes).subarray(0, RECEIPT_DIGEST_BYTES));
  verdicts.delete(digest);
  await mqtt.publishAsync(upTopic(NAME, sensorId), Buffer.from(bytes), { qos: 1 });
  for (let waitedMs = 0; waitedMs < RECEIPT_TIMEOUT_MS && !verdicts.has(digest); waitedMs += POLL_MS) {
    await sleep(POLL_MS);
  }
  return { digest, verdict: verdicts.get(digest) ?? null };
}
