import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { encodeFields, FLAG } from "../../protocol/envelope.ts";
import { hexOf } from "../../protocol/hex.ts";
import { hpkeSeal, keyIdOf, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import { p256Signer, signEnvelope } from "../../protocol/signature.ts";

/** A sensor of the benchmark. */
export interface BenchSensor {
  readonly id: Buffer;
  readonly key: KeyObject;
  /** Uncompressed point, hex. */
  readonly publicKey: string;
}

/** Makes sensors with keys of their own. */
export function makeSensors(count: number): readonly BenchSensor[] {
  return Array.from({ length: count }, () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    return { id: randomBytes(9), key: privateKey, publicKey: hexOf(point) };
  });
}

/** A signed envelope with the payload of a sensor that measures everything, about 350 bytes. */
export function makeEnvelope(sensor: BenchSensor, seq: number, recipient: Uint8Array): Promise<Uint8Array> {
  const payload = {
    temperature_c: 20 + (seq % 100) / 10,
    humidity_pct: 48.2,
    pressure_hpa: 1013.2,
    gas_ohm: 118_400,
    aqi: seq % 500,
    battery_mv: 2987,
    thread: { rssi_dbm: -61, lqi: 198, parent: "0x4c00" },
    motion: [3, -8, 1002],
    fw: "0.2.1",
  };
  const header = {
    version: 1,
    sensorId: sensor.id,
    bootId: 1,
    seq,
    timestamp: 1_767_225_600_000 + seq,
    flags: FLAG.batteryLow,
    keyId: keyIdOf(recipient),
  };
  const { enc, ciphertext } = hpkeSeal(
    recipient,
    TELEMETRY_INFO,
    encodeFields(header, 7),
    Buffer.from(JSON.stringify(payload)),
  );
  return signEnvelope({ ...header, ciphertext: Buffer.concat([enc, ciphertext]) }, p256Signer(sensor.key));
}
