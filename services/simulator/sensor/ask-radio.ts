import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { simulatorErrors } from "../errors.ts";
import type { Sensor } from "./sensor.ts";

const ANSWER_MS = 10_000;

/**
 * Asks a sensor's provisioning radio one question from inside: for a simulator in a container, whose loopback address nobody
 * outside reaches. It is the same port, which is open until the sensor is provisioned and then never again.
 * @throws SIM_PROVISIONING_REFUSED when the radio is off, or the sensor refuses
 */
export async function askRadio(sensor: Sensor, question: unknown): Promise<object> {
  const { provisioningPort, state } = sensor.memory();
  if (provisioningPort === null || state !== "factory") throw refused("the provisioning radio is off for good");
  const socket = connect(provisioningPort, "127.0.0.1");
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    await once(socket, "connect", { signal });
    const answered = once(createInterface({ input: socket }), "line", { signal });
    socket.write(`${JSON.stringify(question)}\n`);
    const [line] = await answered;
    const answer = JSON.parse(String(line)) as { readonly error?: { readonly code: string; readonly message: string } };
    if (answer.error === undefined) return answer;
    throw refused(`${answer.error.code}: ${answer.error.message}`);
  } finally {
    socket.destroy();
  }
}

function refused(message: string): Error {
  return simulatorErrors.error("SIM_PROVISIONING_REFUSED", message);
}
