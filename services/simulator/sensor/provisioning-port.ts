import { createServer, type Socket } from "node:net";
import { z } from "zod";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { activationBytes, proofBytes } from "../../../protocol/provisioning.ts";
import { verifyProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { listenTcp } from "../../runtime/listen.ts";
import { simulatorErrors } from "../errors.ts";
import { signerOf } from "../secure-element/secure-element.ts";
import { FIRMWARE } from "./measurements.ts";
import { recipientsOfBundle } from "./recipients.ts";
import type { Sensor } from "./sensor.ts";

/** Maker of every simulated sensor. */
export const MAKER = "trustkern-simulator";
const MODEL = "TK-SIM-1";
const IDLE_MS = 60_000;
const MAX_LINE_BYTES = 65_536;

const requestSchema = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("identify") }),
  z.strictObject({ op: z.literal("prove"), nonce: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ op: z.literal("provision"), bundle: z.string() }),
]);

/** A provisioning radio that is on. */
export interface ProvisioningPort {
  readonly port: number;
  readonly close: () => void;
}

/**
 * Opens a factory-fresh sensor's provisioning port on the loopback address: the stand-in for Bluetooth LE. Requests and
 * answers are JSON, one in a line. It closes for good once a bundle was taken.
 */
export async function openProvisioningPort(sensor: Sensor): Promise<ProvisioningPort> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    void serve(socket).catch(() => socket.destroy());
  });

  /** Answers one line after the other, and reads on only when the answers to what was read are on their way. */
  async function serve(socket: Socket): Promise<void> {
    let unread: Buffer = Buffer.alloc(0);
    for await (const bytes of socket) {
      unread = Buffer.concat([unread, bytes]);
      for (let end = unread.indexOf("\n"); end >= 0; end = unread.indexOf("\n")) {
        const line = unread.toString("utf8", 0, end);
        unread = unread.subarray(end + 1);
        const text = `${JSON.stringify(await answer(line))}\n`;
        if (!socket.writable) return;
        if (isOver()) socket.end(text, closeAll);
        else await new Promise((done) => socket.write(text, done));
      }
      if (unread.length > MAX_LINE_BYTES) return;
    }
  }

  const isOver = (): boolean => sensor.memory().state !== "factory";

  function closeAll(): void {
    for (const socket of sockets) socket.destroy();
  }

  async function answer(line: string): Promise<object> {
    try {
      return await carryOut(line);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      return { error: { code: thrown.code, message: thrown.message, fix: thrown.fix } };
    }
  }

  async function carryOut(line: string): Promise<object> {
    const { id, publicKey, element } = sensor;
    if (isOver()) throw refused("this sensor is provisioned, and cannot be again");
    const request = parseRequest(line);
    if (request.op === "identify")
      return { sensor_id: id, public_key: publicKey, maker: MAKER, model: MODEL, firmware: FIRMWARE };
    const [sensorId, sign] = [bytesOfHex(id), signerOf(element)];
    if (request.op === "prove") {
      const proof = { sensorId, publicKey: bytesOfHex(publicKey), nonce: bytesOfHex(request.nonce) };
      return { signature: Buffer.from(await sign(proofBytes(proof))).toString("hex") };
    }
    const bundle = verifyProvisioningBundle({ dsse: request.bundle, sensorId: id, publicKey });
    const signature = await sign(activationBytes({ sensorId, bundleId: bytesOfHex(bundle.bundle_id) }));
    const activation = Buffer.from(signature).toString("hex");
    // Another connection may have been first while the secure element signed.
    if (isOver()) throw refused("this sensor is provisioned, and cannot be again");
    const recipients = recipientsOfBundle(bundle);
    const updateCounter = bundle.update_counter;
    sensor.change({ state: "provisioned", bundle: request.bundle, activation, recipients, updateCounter });
    server.close();
    return { activation };
  }

  const port = await listenTcp(server, { hosts: ["127.0.0.1"], port: 0 });
  sensor.change({ provisioningPort: port });
  return {
    port,
    close() {
      server.close();
      closeAll();
    },
  };
}

function parseRequest(line: string): z.infer<typeof requestSchema> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw refused("the request is not JSON");
  }
  const parsed = requestSchema.safeParse(value);
  if (!parsed.success) throw refused("the request is none of identify, prove, provision, or has other members");
  return parsed.data;
}

function refused(message: string): Error {
  return simulatorErrors.error("SIM_PROVISIONING_REFUSED", message);
}
