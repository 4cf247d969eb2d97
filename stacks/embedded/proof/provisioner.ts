import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { OperatorClient } from "../../host/operator-client.ts";
import { embeddedErrors } from "../errors.ts";
import { LOOPBACK } from "../placement.ts";

/** Longest wait for one answer of a sensor. */
const ANSWER_MS = 10_000;

/** What the provisioning of one sensor leaves behind; docs/spec/provisioning.md. */
export interface Provisioned {
  /** The signed bundle; it holds the network key, so it is never shown. */
  readonly bundle: string;
  readonly bundleId: string;
  readonly challengeId: string;
  readonly identity: Readonly<Record<string, unknown>>;
  /** The sensor's proof of possession, hex. */
  readonly proof: string;
}

/** Does what a person with a provisioning tool does: stands between a factory-fresh sensor's radio and the backend. */
export async function provision(operator: OperatorClient, port: number): Promise<Provisioned> {
  const sensor = await openRadio(port);
  try {
    const identity = await sensor.ask({ op: "identify" });
    const { sensor_id } = identity;
    const challenge = (await operator("POST", "/v1/provisioning/challenge", { sensor_id })) as Record<string, string>;
    const { signature = "" } = (await sensor.ask({ op: "prove", nonce: challenge.nonce })) as Record<string, string>;
    const challengeId = challenge.challenge_id ?? "";
    const asked = await operator("POST", "/v1/provisioning/bundle", bundleRequest(identity, challengeId, signature));
    const { bundle } = asked as { bundle: string };
    const { activation } = await sensor.ask({ op: "provision", bundle });
    const bundleId = bundleIdOf(bundle);
    await operator("POST", "/v1/provisioning/activate", { bundle_id: bundleId, sensor_id, signature: activation });
    return { bundle, bundleId, challengeId, identity, proof: signature };
  } finally {
    sensor.close();
  }
}

/** The backend's request for a bundle. */
export function bundleRequest(identity: Readonly<Record<string, unknown>>, challengeId: string, proof: string): object {
  const { sensor_id, public_key, maker, model } = identity;
  return { challenge_id: challengeId, sensor_id, public_key, maker, model, signature: proof };
}

function bundleIdOf(dsse: string): string {
  const { payload } = JSON.parse(dsse) as { payload: string };
  return (JSON.parse(Buffer.from(payload, "base64").toString("utf8")) as { bundle_id: string }).bundle_id;
}

interface Radio {
  readonly ask: (question: object) => Promise<Record<string, unknown>>;
  readonly close: () => void;
}

async function openRadio(port: number): Promise<Radio> {
  const socket = connect(port, LOOPBACK);
  await once(socket, "connect");
  const lines = createInterface({ input: socket });
  return {
    async ask(question) {
      const answer = once(lines, "line", { signal: AbortSignal.timeout(ANSWER_MS) });
      socket.write(`${JSON.stringify(question)}\n`);
      const [line] = await answer;
      const value = JSON.parse(String(line)) as Record<string, unknown>;
      if (value.error === undefined) return value;
      throw embeddedErrors.error(
        "PROOF_FAILED",
        `the sensor refused "${String((question as { op?: string }).op)}": ${JSON.stringify(value.error)}`,
      );
    },
    close: () => socket.destroy(),
  };
}
