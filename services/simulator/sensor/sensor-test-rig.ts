import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { importX25519Private, keyIdOf } from "../../../protocol/hpke.ts";
import { createProvisioningBundle, type ProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import type { CoapClientAnswer } from "../../runtime/coap/client.ts";
import { coapErrors } from "../../runtime/coap/errors.ts";
import {
  makeSoftSecureElement,
  SoftSecureElement,
  softSecureElementFile,
} from "../secure-element/secure-element-soft.ts";
import { openNvm } from "./nvm.ts";
import { openProvisioningPort, type ProvisioningPort } from "./provisioning-port.ts";
import { bootSensor, type Sensor } from "./sensor.ts";

/** The sensor's clock in tests. */
export const NOW: number = Date.parse("2026-11-21T12:00:00Z");

/** The answer of a gateway that took the message. */
export const ACK: CoapClientAnswer = { code: "2.04", payload: Buffer.alloc(0) };

/** A recipient's key pair. */
export function makeRecipient() {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const raw = publicKey.export({ format: "raw-public" });
  return { raw, id: keyIdOf(raw), open: importX25519Private(privateKey.export({ format: "raw-private" })) };
}

/** The uncompressed point of a P-256 key in hex. */
export const pointOf = (key: KeyObject): string => key.export({ format: "raw-public" }).toString("hex");

const NETWORK = {
  network_name: "tk-test",
  channel: 15,
  pan_id: "abcd",
  ext_pan_id: "0011223344556677",
  network_key: "00112233445566778899aabbccddeeff",
  mesh_local_prefix: "fd00:db8::/64",
};

/** One sensor with a memory on disk; its gateway is a list of answers, and `2.04` once that is used up. */
export class SensorRig {
  readonly backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly recipient = makeRecipient();
  readonly sent: Uint8Array[] = [];
  readonly refusedUpdates: string[] = [];
  answers: (CoapClientAnswer | "silence")[] = [];
  readonly folder: string = mkdtempSync(join(tmpdir(), "tk-sensor-"));
  readonly nvm = openNvm(this.folder);
  readonly id: string = makeSoftSecureElement(this.folder);
  #sensor: Sensor | undefined;
  #port: ProvisioningPort | undefined;

  constructor() {
    this.nvm.create(this.id);
  }

  /** The sensor, once it was booted. */
  get sensor(): Sensor {
    if (!this.#sensor) throw new Error("boot() first");
    return this.#sensor;
  }

  /** Starts the sensor, as at the start of the process. */
  async boot(): Promise<void> {
    const { id, nvm } = this;
    const element = new SoftSecureElement(softSecureElementFile(this.folder, id));
    const publicKey = String((await element.execute({ command: "public-key" })).public_key);
    const onRefusedUpdate = (_: string, code: string) => this.refusedUpdates.push(code);
    const coap = { request: this.#answer, close: () => undefined };
    this.#sensor = bootSensor({
      id,
      publicKey,
      element,
      nvm,
      coap,
      now: () => NOW,
      random: Math.random,
      onRefusedUpdate,
    });
  }

  readonly #answer = async (request: { readonly method: string; readonly payload?: Uint8Array | undefined }) => {
    if (request.method === "GET") return { code: "2.05", payload: Buffer.from("</tk/v1>") };
    this.sent.push(request.payload ?? new Uint8Array());
    const answer = this.answers.shift() ?? ACK;
    if (answer === "silence") throw coapErrors.error("COAP_NO_ANSWER", "silence");
    return answer;
  };

  signedBundle(changes: object = {}, key = this.backend.privateKey): Promise<string> {
    const bundle: ProvisioningBundle = {
      schema: "trustkern.provisioning/1",
      bundle_id: "00".repeat(16),
      sensor_id: this.id,
      public_key: this.sensor.publicKey,
      issued_at: new Date(NOW).toISOString(),
      backend_key: pointOf(this.backend.publicKey),
      network: NETWORK,
      gateway: { coap: "coap://127.0.0.1:5683" },
      recipient: [
        {
          key_id: this.recipient.id.toString("hex"),
          public_key: this.recipient.raw.toString("hex"),
          not_before: "2026-01-01T00:00:00Z",
        },
      ],
      update_counter: 3,
    };
    return createProvisioningBundle({ ...bundle, ...changes }, p256Signer(key));
  }

  async openPort(): Promise<void> {
    this.#port = await openProvisioningPort(this.sensor);
  }

  /** A connection to the provisioning port. */
  connect(): Socket {
    return connect(this.#port?.port ?? 0, "127.0.0.1");
  }

  /** Asks the provisioning port each of the questions over one connection. */
  async ask(...questions: (object | string)[]): Promise<Record<string, unknown>[]> {
    const socket = this.connect();
    const answers: Record<string, unknown>[] = [];
    for (const question of questions)
      socket.write(`${typeof question === "string" ? question : JSON.stringify(question)}\n`);
    for await (const line of createInterface({ input: socket })) {
      answers.push(JSON.parse(line));
      if (answers.length === questions.length) break;
    }
    socket.destroy();
    return answers;
  }

  async provisionAndJoin(): Promise<void> {
    await this.openPort();
    await this.ask({ op: "provision", bundle: await this.signedBundle() });
    await this.sensor.join();
  }

  close(): void {
    this.#port?.close();
    this.nvm.close();
    rmSync(this.folder, { recursive: true });
  }
}
