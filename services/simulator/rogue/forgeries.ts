import { generateKeyPairSync, randomBytes } from "node:crypto";
import { hexOf } from "../../../protocol/hex.ts";
import { type Recipient, sealEnvelope, sealWithAad } from "../../../protocol/seal.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { simulatorErrors } from "../errors.ts";
import { signerOf } from "../secure-element/secure-element.ts";
import type { PendingMessage } from "../sensor/nvm.ts";
import type { Sensor } from "../sensor/sensor.ts";

/** Attacks that need no more than a radio, or a sensor that was taken over. */
export const RADIO_KINDS = ["forged", "replayed", "duplicate", "unknown", "malformed"] as const;

/** Attacks on the collector: those of a radio, and envelopes that are signed well but do not open or parse. */
export const GATEWAY_KINDS = [...RADIO_KINDS, "unknown-key", "decrypt-failed", "bad-payload"] as const;

/** One of {@link GATEWAY_KINDS}. */
export type AttackKind = (typeof GATEWAY_KINDS)[number];

/** Bytes of an attack, and the sensor id that they name. */
export interface Attack {
  readonly sensorId: string;
  readonly bytes: Uint8Array;
}

const PLAINTEXT = '{"fw":"6.6.6","temperature_c":66.6}';
const TRUNCATED_BYTES = 32;

/**
 * The last message of a sensor that the gateway acknowledged, as a radio beside it would have heard it.
 * @throws SIM_NOTHING_CAPTURED
 */
export function captured(sensor: Sensor): PendingMessage {
  const { last } = sensor.memory();
  if (last) return last;
  throw simulatorErrors.error("SIM_NOTHING_CAPTURED", `no message of sensor ${sensor.id} was acknowledged yet`);
}

/**
 * Makes the bytes of an attack.
 * @param heard - a message of the sensor that was {@link captured}
 */
export async function forge(kind: AttackKind, sensor: Sensor, heard: PendingMessage): Promise<Attack> {
  return kind === "unknown" ? stranger(sensor) : { sensorId: sensor.id, bytes: await forgeAs(kind, sensor, heard) };
}

async function forgeAs(
  kind: Exclude<AttackKind, "unknown">,
  sensor: Sensor,
  heard: PendingMessage,
): Promise<Uint8Array> {
  switch (kind) {
    case "forged":
      return withLastBitFlipped(heard.bytes);
    case "duplicate":
      return heard.bytes;
    case "malformed":
      return heard.bytes.subarray(0, -TRUNCATED_BYTES);
    case "replayed": {
      const { bootId, seq } = heard;
      return sensor.seal({ bootId, seq, timestamp: 0, flags: 1, plaintext: PLAINTEXT });
    }
    case "unknown-key": {
      const recipient = { keyId: randomBytes(8), publicKey: sensor.recipient().publicKey };
      return sealEnvelope(await nextMessage(sensor, PLAINTEXT), recipient, signerOf(sensor.element));
    }
    case "decrypt-failed":
      return sealWithAad(
        await nextMessage(sensor, PLAINTEXT),
        sensor.recipient(),
        signerOf(sensor.element),
        Buffer.of(0),
      );
    case "bad-payload":
      return sealEnvelope(await nextMessage(sensor, '{"fw":'), sensor.recipient(), signerOf(sensor.element));
  }
}

async function nextMessage(sensor: Sensor, plaintext: string) {
  return { ...(await sensor.takeSeq()), sensorId: Buffer.from(sensor.id, "hex"), timestamp: 0, flags: 1, plaintext };
}

/** A sensor that nobody registered, with a key of its own. It knows the recipient key, which is public. */
async function stranger(sensor: Sensor): Promise<Attack> {
  const recipient: Recipient = sensor.recipient();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sensorId = randomBytes(9);
  const message = { sensorId, bootId: 1, seq: 1, timestamp: 0, flags: 1, plaintext: PLAINTEXT };
  return { sensorId: hexOf(sensorId), bytes: await sealEnvelope(message, recipient, p256Signer(privateKey)) };
}

/** The signature comes last in an envelope. */
function withLastBitFlipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
