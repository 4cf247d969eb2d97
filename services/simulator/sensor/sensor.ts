import { createHash } from "node:crypto";
import { envelopeDigest, FLAG } from "../../../protocol/envelope.ts";
import { bytesOfHex, hexOf } from "../../../protocol/hex.ts";
import { type ProvisioningBundle, verifyProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { type Message, type Recipient, sealEnvelope } from "../../../protocol/seal.ts";
import { importP256Point } from "../../../protocol/signature.ts";
import { verifyUpdate } from "../../../protocol/update.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { CoapClient, CoapClientAnswer } from "../../runtime/coap/client.ts";
import { CONTENT_FORMAT } from "../../runtime/coap/message.ts";
import { simulatorErrors } from "../errors.ts";
import { type SecureElement, signerOf } from "../secure-element/secure-element.ts";
import { measure } from "./measurements.ts";
import type { Nvm, PendingMessage, SensorMemory } from "./nvm.ts";
import { recipientAt, recipientsOfUpdate } from "./recipients.ts";

/** What a sensor is made of. */
export interface SensorParts {
  /** Serial number of its secure element, lower-case hex. */
  readonly id: string;
  /** Uncompressed P-256 point, lower-case hex. */
  readonly publicKey: string;
  readonly element: SecureElement;
  readonly nvm: Nvm;
  readonly coap: CoapClient;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** Told about an update that was refused. */
  readonly onRefusedUpdate: (sensorId: string, code: string) => void;
}

/** A message that was sent, and its answer; null when nobody answered and the message waits. */
export interface Sent extends PendingMessage {
  readonly answer: CoapClientAnswer | null;
}

/** One simulated sensor. It does one thing at a time, in the order in which it was asked. */
export interface Sensor {
  readonly id: string;
  readonly publicKey: string;
  readonly element: SecureElement;
  readonly memory: () => SensorMemory;
  readonly change: (changes: Partial<SensorMemory>) => void;
  /** The bundle that it was provisioned with, verified; null before. */
  readonly bundle: () => ProvisioningBundle | null;
  /**
   * First CoAP message over the network of its bundle.
   * @throws SIM_NOT_PROVISIONED, COAP_NO_ANSWER
   */
  readonly join: () => Promise<{ readonly code: string; readonly payload: string; readonly network_digest: string }>;
  /**
   * Measures and sends, once a message that waits has had its answer.
   * @param onMade - called in the transaction that keeps the new message
   * @returns the message that waits, sent again without an answer; or else the new one
   * @throws SIM_NOT_JOINED
   */
  readonly measure: (onMade?: () => void) => Promise<Sent>;
  /** Sends the message that waits again, the same bytes; undefined when none waits. */
  readonly resend: () => Promise<Sent | undefined>;
  /** A new boot: the boot id grows, `seq` starts anew, the clock is not set. */
  readonly reboot: () => Promise<void>;
  /** Seals and signs any message with this sensor's keys, for attacks with a sensor that was taken over. */
  readonly seal: (message: Omit<Message, "sensorId">) => Promise<Uint8Array>;
  readonly recipient: () => Recipient;
  /** Takes the next sequence number, as for a message. */
  readonly takeSeq: () => Promise<{ readonly bootId: number; readonly seq: number }>;
  readonly close: () => void;
}

const INGEST = { method: "POST", path: "/tk/v1", contentFormat: CONTENT_FORMAT.cbor } as const;

/** Boots a sensor: its boot id grows before anything can be sent. */
export function bootSensor(parts: SensorParts): Sensor {
  const { id, publicKey, element, nvm, coap, now } = parts;
  const sensorId = bytesOfHex(id, 9);
  let memory = nvm.load(id);
  let clockIsSet = false;
  let turn: Promise<unknown> = Promise.resolve();
  change({ bootId: memory.bootId + 1, seq: 0 });

  function change(changes: Partial<SensorMemory>): void {
    nvm.save(id, changes);
    memory = { ...memory, ...changes };
  }

  /** Runs `work` behind whatever the sensor is doing. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  const recipient = (): Recipient => recipientAt(memory.recipients, now());
  const seal = (message: Omit<Message, "sensorId">): Promise<Uint8Array> =>
    sealEnvelope({ sensorId, ...message }, recipient(), signerOf(element));

  async function make(onMade: () => void): Promise<PendingMessage> {
    if (memory.state !== "joined")
      throw simulatorErrors.error("SIM_NOT_JOINED", `sensor ${id} is in state "${memory.state}"`, { path: id });
    const [bootId, seq] = [memory.bootId, memory.seq + 1];
    const { payload, flags } = measure(now(), parts.random);
    const plaintext = JSON.stringify(payload);
    const clock = clockIsSet ? { timestamp: now(), flags } : { timestamp: 0, flags: flags | FLAG.clockNotSet };
    const bytes = await seal({ bootId, seq, ...clock, plaintext });
    const pending = { bootId, seq, bytes, plaintext };
    nvm.transaction(() => {
      change({ seq, pending });
      onMade();
    });
    return pending;
  }

  /** Sends the pending message; 2.04 and 4.00 end it, all else and silence leave it. */
  async function deliver(pending: PendingMessage): Promise<Sent> {
    const answer = await coap.request({ ...INGEST, payload: pending.bytes }).catch((error: unknown) => {
      if (error instanceof TrustKernError) return null;
      throw error;
    });
    if (answer?.code === "2.04") {
      acknowledge(pending);
      if (answer.payload.length > 0) takeUpdate(answer.payload);
    } else if (answer?.code === "4.00") {
      change({ pending: null, rejected: memory.rejected + 1 });
    }
    return { ...pending, answer };
  }

  function acknowledge(message: PendingMessage): void {
    const { bootId, seq, bytes, plaintext } = message;
    clockIsSet = true;
    nvm.transaction(() => {
      const digest = hexOf(envelopeDigest(bytes));
      nvm.append({ sensor_id: id, boot_id: bootId, seq, digest, plaintext });
      change({ pending: null, last: message, acknowledged: memory.acknowledged + 1 });
    });
  }

  function takeUpdate(bytes: Uint8Array): void {
    const expectation = { bytes, sensorId, lastCounter: memory.updateCounter };
    try {
      const update = verifyUpdate({
        ...expectation,
        backendKey: importP256Point(bytesOfHex(bundleHeld().backend_key)),
      });
      change({ recipients: recipientsOfUpdate(update), updateCounter: update.counter });
    } catch (error) {
      if (!(error instanceof TrustKernError)) throw error;
      // The gateway hands the newest over with every answer.
      if (error.code !== "UPDATE_ROLLBACK") parts.onRefusedUpdate(id, error.code);
    }
  }

  function bundle(): ProvisioningBundle | null {
    if (memory.bundle === null) return null;
    return verifyProvisioningBundle({ dsse: memory.bundle, sensorId: id, publicKey });
  }

  function bundleHeld(): ProvisioningBundle {
    const held = bundle();
    if (held) return held;
    throw simulatorErrors.error("SIM_NOT_PROVISIONED", `sensor ${id} holds no bundle`, { path: id });
  }

  return {
    id,
    publicKey,
    element,
    memory: () => memory,
    change,
    bundle,
    seal,
    recipient,
    join: () =>
      inTurn(async () => {
        const { network } = bundleHeld();
        const { code, payload } = await coap.request({ method: "GET", path: "/.well-known/core" });
        if (code === "2.05") change({ state: "joined" });
        const network_digest = createHash("sha256").update(stableJson(network)).digest("hex");
        return { code, payload: payload.toString("utf8"), network_digest };
      }),
    measure: (onMade = () => undefined) =>
      inTurn(async () => {
        const waiting = memory.pending && (await deliver(memory.pending));
        return waiting && memory.pending ? waiting : deliver(await make(onMade));
      }),
    resend: () => inTurn(async () => (memory.pending ? deliver(memory.pending) : undefined)),
    reboot: () =>
      inTurn(async () => {
        clockIsSet = false;
        change({ bootId: memory.bootId + 1, seq: 0 });
      }),
    takeSeq: () =>
      inTurn(async () => {
        change({ seq: memory.seq + 1 });
        return { bootId: memory.bootId, seq: memory.seq };
      }),
    close: coap.close,
  };
}
