import { connect } from "node:net";
import { LOOPBACK } from "../placement.ts";
import { firstSensor, proven, type Sensor, type Step, short } from "./step.ts";

/** The provisioning port that a sensor had is closed for good. */
export const radioOff: Step = {
  id: "radio-off",
  async prove(context) {
    const after = (await context.deployed.control("simulator", "GET", "/sensors")) as readonly Sensor[];
    for (const { sensor_id, provisioning_port, state } of after) {
      proven(state !== "factory", `${short(sensor_id)} was never provisioned`);
      proven(provisioning_port === null, `${short(sensor_id)} still offers provisioning on port ${provisioning_port}`);
    }
    const first = firstSensor(context);
    for (const { sensor_id } of context.sensors) {
      const port = context.radios.get(sensor_id);
      proven(port !== undefined, `it is not known where ${short(sensor_id)} offered provisioning`);
      const answer = await tryConnect(port);
      proven(answer === "ECONNREFUSED", `port ${port} of ${short(sensor_id)} answers a connection with ${answer}`);
    }
    const ports = `port ${context.radios.get(first.sensor_id)}`;
    return `${context.sensors.length} connections refused (ECONNREFUSED), ${short(first.sensor_id)} at ${ports}`;
  },
};

function tryConnect(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    socket.once("connect", () => {
      socket.destroy();
      resolve("success");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
