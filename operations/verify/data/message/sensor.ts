import { generateKeyPairSync } from "node:crypto";
import { z } from "zod";
import { bytesOfHex, hexOf } from "../../../../protocol/hex.ts";
import { type Recipient, sealEnvelope } from "../../../../protocol/seal.ts";
import { p256Signer } from "../../../../protocol/signature.ts";
import type { OperatorClient } from "../../../../stacks/host/operator-client.ts";

/** Maker of every verification sensor: who lists devices or reads rows knows by it what they are. */
export const VERIFICATION_MAKER = "verification";

const MODEL = "trustkern verify boundary";
const SENSOR_ID_BYTES = 9;

const devices = z.array(z.object({ sensor_id: z.string(), maker: z.string(), state: z.string() }));
const gateways = z.array(z.object({ name: z.string(), state: z.string() }));
const recipients = z.array(z.object({ key_id: z.string(), public_key: z.string(), not_before: z.string() })).min(1);

/** A sensor whose keys are in this process alone, and on the allowlists by an operator's word. */
export interface VerificationSensor {
  /** Lower-case hex. */
  readonly id: string;
  /** Seals and signs a message as a sensor does (docs/spec/envelope.md). */
  readonly seal: (plaintext: string, now: Date) => Promise<Uint8Array>;
}

/**
 * Makes a sensor and puts it on the allowlists.
 * @param random so many random bytes
 * @throws SERVICE_FAILED, and what the backend refuses with
 */
export async function enrolSensor(
  operator: OperatorClient,
  random: (bytes: number) => Buffer,
  now: Date,
): Promise<VerificationSensor> {
  const recipient = recipientAt(recipients.parse(await operator("GET", "/v1/recipients")), now);
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sensorId = random(SENSOR_ID_BYTES);
  const id = sensorId.toString("hex");
  await operator("POST", "/v1/devices", {
    sensor_id: id,
    public_key: hexOf(publicKey.export({ format: "raw-public" })),
    maker: VERIFICATION_MAKER,
    model: MODEL,
  });
  let seq = 0;
  return {
    id,
    seal: (plaintext, at) => {
      seq += 1;
      const message = { sensorId, bootId: 1, seq, timestamp: at.getTime(), flags: 0, plaintext };
      return sealEnvelope(message, recipient, p256Signer(privateKey));
    },
  };
}

/**
 * Revokes every verification sensor that is not: this run's own, and what a run that was killed left.
 * @returns how many
 * @throws SERVICE_FAILED, and what the backend refuses with
 */
export async function revokeSensors(operator: OperatorClient): Promise<number> {
  const known = devices.parse(await operator("GET", "/v1/devices"));
  const left = known.filter(({ maker, state }) => maker === VERIFICATION_MAKER && state !== "revoked");
  for (const { sensor_id } of left) await operator("POST", `/v1/devices/${sensor_id}/revoke`);
  return left.length;
}

/**
 * Names of the gateways that the backend lets in and that none of these is.
 * @throws SERVICE_FAILED, and what the backend refuses with
 */
export async function gatewaysElsewhere(operator: OperatorClient, here: readonly string[]): Promise<readonly string[]> {
  const known = gateways.parse(await operator("GET", "/v1/gateways"));
  return known.filter(({ name, state }) => state === "active" && !here.includes(name)).map(({ name }) => name);
}

/** The key that sensors seal to now: the newest that is due, or the first one while none is. */
function recipientAt(known: z.infer<typeof recipients>, now: Date): Recipient {
  const byDate = known.toSorted((a, b) => Date.parse(a.not_before) - Date.parse(b.not_before));
  const due = byDate.findLast(({ not_before }) => Date.parse(not_before) <= now.getTime()) ?? byDate[0];
  return { keyId: bytesOfHex(due?.key_id ?? ""), publicKey: bytesOfHex(due?.public_key ?? "") };
}
