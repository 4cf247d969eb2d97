import { decodeEnvelope } from "../../../protocol/envelope.ts";
import { importP256Point, verifyEnvelopeSignature } from "../../../protocol/signature.ts";
import { firstSensor, proven, type SentMessage, type Step, short } from "./step.ts";

/** The envelope that leaves the board verifies, and shows nothing of what was measured. */
export const signEncrypt: Step = {
  id: "sign-encrypt",
  async prove(context) {
    const sensor = firstSensor(context);
    const path = `/sensors/${sensor.sensor_id}/measure`;
    const sent = (await context.deployed.control("simulator", "POST", path)) as SentMessage;
    context.sent = sent;
    const bytes = Buffer.from(sent.envelope, "hex");
    const decoded = decodeEnvelope(bytes);
    proven(decoded.ok, "the sensor's envelope is malformed");
    const registered = (await context.deployed.operator("GET", "/v1/devices")) as readonly Device[];
    const device = registered.find(({ sensor_id }) => sensor_id === sensor.sensor_id);
    proven(device !== undefined, `the backend does not know ${short(sensor.sensor_id)}`);
    const key = importP256Point(Buffer.from(device.public_key, "hex"));
    const { envelope, signedBytes } = decoded;
    proven(verifyEnvelopeSignature(key, signedBytes, envelope.signature), "the signature does not verify");
    for (const part of partsOf(sent.plaintext)) proven(!bytes.includes(part), `the envelope shows "${part}"`);
    proven(sent.code === "2.04", `the gateway answered ${sent.code} ${sent.payload}`);
    return `${bytes.length} bytes verify against the registered key; none of ${partsOf(sent.plaintext).length} parts of the plaintext is in them`;
  },
};

interface Device {
  readonly sensor_id: string;
  readonly public_key: string;
}

/** The plaintext, and each of its members as text: any of them in the envelope's bytes would be a leak. */
function partsOf(plaintext: string): readonly string[] {
  const members = Object.entries(JSON.parse(plaintext) as Record<string, unknown>);
  return [
    plaintext,
    ...members.map(([name, value]) => `"${name}":${JSON.stringify(value)}`),
    ...members.map(([name]) => `"${name}"`),
  ];
}
