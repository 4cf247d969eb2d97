import mqtt, { type MqttClient } from "mqtt";
import { hexOf } from "../../protocol/hex.ts";
import { decodeReceipts } from "../../protocol/receipt.ts";
import { receiptTopic, upTopic } from "../../protocol/topics.ts";
import type { BenchSensor } from "./envelopes.ts";
import { makeEnvelope, makeSensors } from "./envelopes.ts";

/** What the publisher is told first. */
export interface PublisherSetup {
  readonly broker: { readonly host: string; readonly port: number; readonly servername: string };
  readonly ca: string;
  readonly gateways: readonly { readonly name: string; readonly certPem: string; readonly keyPem: string }[];
  readonly recipient: Uint8Array;
  readonly sensors: number;
  readonly messages: number;
}

/** What it tells: its sensors, then that all envelopes are made, then how it went. */
export type FromPublisher =
  | { readonly kind: "sensors"; readonly sensors: readonly { readonly id: string; readonly publicKey: string }[] }
  | { readonly kind: "prepared" }
  | { readonly kind: "done"; readonly seconds: number; readonly accepted: number; readonly rejected: number };

/** Envelopes that one gateway has on the way without a receipt, as in the specification. */
const IN_FLIGHT = 1000;

interface Prepared {
  readonly topic: string;
  readonly bytes: Buffer;
}

const tell = (message: FromPublisher): void => {
  process.send?.(message);
};

/** Publishes everything through several gateways, each with its own window, and resolves with the last receipt. */
async function publishAll(setup: PublisherSetup, prepared: readonly (readonly Prepared[])[]): Promise<void> {
  const clients = await Promise.all(
    setup.gateways.map(({ name, certPem, keyPem }) =>
      mqtt.connectAsync({
        protocol: "mqtts",
        ...setup.broker,
        ca: setup.ca,
        cert: certPem,
        key: keyPem,
        clientId: name,
        protocolVersion: 4,
      }),
    ),
  );
  let [accepted, rejected] = [0, 0];
  const startedAt = performance.now();
  await Promise.all(
    clients.map(
      (client, index) =>
        new Promise<void>((resolve) => {
          const own = prepared[index] ?? [];
          const topic = receiptTopic(setup.gateways[index]?.name ?? "");
          let [sent, received] = [0, 0];
          const send = (): void => {
            for (; sent < own.length && sent - received < IN_FLIGHT; sent++) publish(client, own[sent] as Prepared);
          };
          client.on("message", (_, payload) => {
            for (const [, verdict] of decodeReceipts(payload)) {
              received += 1;
              if (verdict === "accepted") accepted += 1;
              else rejected += 1;
            }
            send();
            if (received >= own.length) resolve();
          });
          client.subscribe(topic, { qos: 1 }, send);
        }),
    ),
  );
  tell({ kind: "done", seconds: (performance.now() - startedAt) / 1000, accepted, rejected });
  await Promise.all(clients.map((client) => client.endAsync()));
}

function publish(client: MqttClient, { topic, bytes }: Prepared): void {
  client.publish(topic, bytes, { qos: 1 });
}

async function prepare(
  { gateways, recipient, messages }: PublisherSetup,
  sensors: readonly BenchSensor[],
): Promise<Prepared[][]> {
  const prepared: Prepared[][] = gateways.map(() => []);
  for (let n = 0; n < messages; n++) {
    const sensor = sensors[n % sensors.length] as BenchSensor;
    const at = n % gateways.length;
    const bytes = Buffer.from(await makeEnvelope(sensor, n + 1, recipient));
    prepared[at]?.push({ topic: upTopic(gateways[at]?.name ?? "", hexOf(sensor.id)), bytes });
  }
  return prepared;
}

async function main(setup: PublisherSetup): Promise<void> {
  const sensors = makeSensors(setup.sensors);
  tell({ kind: "sensors", sensors: sensors.map(({ id, publicKey }) => ({ id: hexOf(id), publicKey })) });
  const prepared = await prepare(setup, sensors);
  process.once("message", () => publishAll(setup, prepared).then(() => process.disconnect?.()));
  tell({ kind: "prepared" });
}

process.once("message", main);
