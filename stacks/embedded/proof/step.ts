import type { Database } from "../database.ts";
import type { EmbeddedDeployment } from "../deploy.ts";
import { embeddedErrors } from "../errors.ts";

/** The nine steps of TrustKern, in order. */
export const STEP_IDS = [
  "key-genesis",
  "provisioning",
  "radio-off",
  "join",
  "sign-encrypt",
  "gateway-verify",
  "mqtts-publish",
  "collector-verify",
  "decrypt-store",
] as const;

/** One of {@link STEP_IDS}. */
export type StepId = (typeof STEP_IDS)[number];

/** A simulated sensor, as the simulator describes it. */
export interface Sensor {
  /** 9 bytes, lower-case hex. */
  readonly sensor_id: string;
  /** Uncompressed P-256 point, lower-case hex. */
  readonly public_key: string;
  readonly state: "factory" | "provisioned" | "joined";
  /** Port of its provisioning radio's stand-in; null once it is off for good. */
  readonly provisioning_port: number | null;
}

/** A message that a sensor sent, with what it measured. */
export interface SentMessage {
  /** Lower-case hex. */
  readonly envelope: string;
  readonly plaintext: string;
  readonly boot_id: number;
  readonly seq: number;
  /** CoAP response code, such as `2.04`. */
  readonly code: string;
  readonly payload: string;
}

/** What the steps observe through, and what an earlier step leaves for a later one. */
export interface ProofContext {
  readonly deployed: EmbeddedDeployment;
  readonly database: Database;
  readonly sensorCount: number;
  sensors: readonly Sensor[];
  /** Ports that answered before provisioning, by sensor id. */
  readonly radios: Map<string, number>;
  sent: SentMessage | undefined;
}

/** A step: says what it observed, or throws PROOF_FAILED with what it saw instead. */
export interface Step {
  readonly id: StepId;
  readonly prove: (context: ProofContext) => Promise<string>;
}

/**
 * Holds an observation.
 * @throws PROOF_FAILED
 */
export function proven(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw embeddedErrors.error("PROOF_FAILED", otherwise);
}

/** The first sensor, which the steps follow. */
export function firstSensor({ sensors }: ProofContext): Sensor {
  const [sensor] = sensors;
  if (sensor === undefined) throw embeddedErrors.error("PROOF_FAILED", "there is no sensor");
  return sensor;
}

/** The message that `sign-encrypt` sent. */
export function sentMessage({ sent }: ProofContext): SentMessage {
  if (sent === undefined) throw embeddedErrors.error("PROOF_FAILED", "no message was sent");
  return sent;
}

/** The first eight hex digits of a sensor id: enough for a person to tell two apart. */
export function short(hex: string): string {
  return hex.slice(0, 8);
}
