import { readFileSync } from "node:fs";
import type { KemItem, KemResult } from "../../../custody/kem.ts";
import type { AllowlistEntry } from "../../../protocol/allowlist.ts";
import { decodeEnvelope } from "../../../protocol/envelope.ts";
import { bytesOfHex, hexOf } from "../../../protocol/hex.ts";
import { hpkeDecapsulate, importX25519Private } from "../../../protocol/hpke.ts";
import { importP256Point } from "../../../protocol/signature.ts";
import type { CheckResult, PackedMessage } from "./packing.ts";

interface VectorsFile {
  readonly recipient: { readonly private_key: string; readonly key_id: string };
  readonly allowlist: readonly { readonly sensor_id: string; readonly public_key: string }[];
  readonly single: readonly {
    readonly name: string;
    readonly envelope: string;
    readonly verdict: CheckResult["outcome"];
  }[];
}

const file = new URL("../../../test/fixtures/envelope-v1.json", import.meta.url);

/** The known answers of the specification, for tests. */
export const vectors: VectorsFile = JSON.parse(readFileSync(file, "utf8"));

/** The one sensor on their allowlist. */
export const SENSOR_ID: string = vectors.allowlist[0]?.sensor_id ?? "";

const entries = new Map(
  vectors.allowlist.map(({ sensor_id, public_key }): [string, AllowlistEntry] => [
    sensor_id,
    { kind: "known", publicKey: importP256Point(bytesOfHex(public_key)), maker: "maker" },
  ]),
);
const privateKey = importX25519Private(bytesOfHex(vectors.recipient.private_key));

/** Their allowlist. */
export const lookup = (sensorId: string): AllowlistEntry => entries.get(sensorId) ?? { kind: "unknown" };

/** Custody that holds their recipient's key. */
export const openKem = async (items: readonly KemItem[]): Promise<readonly KemResult[]> =>
  items.map(({ keyId, encapsulatedKey }) =>
    hexOf(keyId) === vectors.recipient.key_id ? hpkeDecapsulate(privateKey, encapsulatedKey) : "unknown-key",
  );

/** The message of a vector, on the topic of the sensor that it names. */
export function messageOf(name: string): PackedMessage {
  const bytes = bytesOfHex(vectors.single.find((vector) => vector.name === name)?.envelope ?? "?");
  const decoded = decodeEnvelope(bytes);
  return { bytes, sensorId: decoded.ok ? hexOf(decoded.envelope.sensorId) : SENSOR_ID };
}
