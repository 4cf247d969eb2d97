import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { AskSensor } from "../../host/provision.ts";
import { embeddedErrors } from "../errors.ts";
import { LOOPBACK } from "../placement.ts";

/** Longest wait for one answer of a sensor. */
const ANSWER_MS = 10_000;

/** The provisioning radio of a sensor, as a port of this machine that takes a line of JSON and answers with one. */
export interface Radio {
  readonly ask: AskSensor;
  readonly close: () => void;
}

/**
 * Opens the radio of a factory-fresh sensor.
 * @throws PROOF_FAILED from `ask`, when the sensor refuses
 */
export async function openRadio(port: number): Promise<Radio> {
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
      throw embeddedErrors.error("PROOF_FAILED", `the sensor refused "${question.op}": ${JSON.stringify(value.error)}`);
    },
    close: () => socket.destroy(),
  };
}
