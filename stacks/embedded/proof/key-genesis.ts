import { randomBytes } from "node:crypto";
import { importP256Point, verifyP256 } from "../../../protocol/signature.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import type { ProofContext, Sensor, Step } from "./step.ts";
import { firstSensor, proven, short } from "./step.ts";

/** What a thief would ask a secure element for. */
const READS = ["read", "read-private-key", "private-key", "export", "backup", "dump"] as const;

/** The sensor's key exists and signs, and no command of its secure element reads it out. */
export const keyGenesis: Step = {
  id: "key-genesis",
  async prove(context) {
    const { deployed } = context;
    const made = await deployed.control("simulator", "POST", "/sensors", { count: context.sensorCount });
    context.sensors = made as readonly Sensor[];
    proven(
      context.sensors.length === context.sensorCount,
      `${context.sensors.length} sensors of ${context.sensorCount}`,
    );
    for (const { provisioning_port, sensor_id } of context.sensors) {
      if (provisioning_port !== null) context.radios.set(sensor_id, provisioning_port);
    }
    const sensor = firstSensor(context);
    const challenge = randomBytes(32).toString("hex");
    const { signature } = (await command(context, sensor, { command: "sign", data: challenge })) as {
      signature: string;
    };
    const key = importP256Point(Buffer.from(sensor.public_key, "hex"));
    proven(
      verifyP256(key, Buffer.from(challenge, "hex"), Buffer.from(signature, "hex")),
      "the secure element's signature does not verify against the sensor's public key",
    );
    for (const read of READS) await refused(context, sensor, read);
    return `${context.sensors.length} P-256 keys; ${short(sensor.sensor_id)} signs a challenge, and its secure element refuses ${READS.length} of ${READS.length} commands to read the key`;
  },
};

async function refused(context: ProofContext, sensor: Sensor, read: string): Promise<void> {
  try {
    await command(context, sensor, { command: read });
  } catch (thrown) {
    const code = thrown instanceof TrustKernError ? thrown.code : String(thrown);
    proven(code === "SE_COMMAND_REFUSED", `the secure element answered "${read}" with ${code}`);
    return;
  }
  proven(false, `the secure element carried out "${read}"`);
}

function command({ deployed }: ProofContext, sensor: Sensor, body: object): Promise<unknown> {
  return deployed.control("simulator", "POST", `/sensors/${sensor.sensor_id}/secure-element`, body);
}
