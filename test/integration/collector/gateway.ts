import mqtt, { type MqttClient } from "mqtt";
import { issueLeaves } from "../../../certs/deployment.ts";
import { decodeEnvelope, envelopeDigest } from "../../../protocol/envelope.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { decodeReceipts } from "../../../protocol/receipt.ts";
import { receiptTopic, upTopic } from "../../../protocol/topics.ts";
import type { EmbeddedDeployment } from "../../../stacks/embedded/deploy.ts";

/** A gateway with a valid certificate that checks nothing and sends nothing again. */
export interface TestGateway {
  /** Publishes an envelope, on its own sensor's topic unless another is named. */
  readonly publish: (bytes: Uint8Array, sensorId?: string) => Promise<void>;
  /** Verdicts of an envelope's receipts so far. */
  readonly verdicts: (bytes: Uint8Array) => readonly string[];
  readonly close: () => Promise<void>;
}

/** Connects a gateway of that name to a deployment's broker. */
export async function connectGateway(deployed: EmbeddedDeployment, name: string): Promise<TestGateway> {
  const { issuers, rootPem } = deployed.authorities;
  const request = { clock: () => new Date(), services: [], gateways: [name], operators: [] };
  const [leaf] = (await issueLeaves(issuers, request)).leaves;
  const client: MqttClient = await mqtt.connectAsync({
    protocol: "mqtts",
    ...deployed.placement.endpoint("broker", "mqtts"),
    ca: rootPem,
    ...(leaf ? { cert: leaf.certPem, key: leaf.keyPem } : {}),
    protocolVersion: 4,
    reconnectPeriod: 100,
  });
  const received = new Map<string, string[]>();
  client.on("message", (_, payload) => {
    for (const [digest, verdict] of decodeReceipts(payload)) {
      const key = hexOf(digest);
      received.set(key, [...(received.get(key) ?? []), verdict]);
    }
  });
  await client.subscribeAsync(receiptTopic(name), { qos: 1 });
  return {
    publish: async (bytes, sensorId) => {
      const decoded = decodeEnvelope(bytes);
      const own = decoded.ok ? hexOf(decoded.envelope.sensorId) : "00".repeat(9);
      await client.publishAsync(upTopic(name, sensorId ?? own), Buffer.from(bytes), { qos: 1 });
    },
    verdicts: (bytes) => received.get(hexOf(envelopeDigest(bytes).subarray(0, 16))) ?? [],
    close: () => client.endAsync(),
  };
}
