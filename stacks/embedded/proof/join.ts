import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { verifyProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { type ProofContext, proven, type Sensor, type Step, short } from "./step.ts";

interface Joined {
  /** CoAP response code of the gateway's answer. */
  readonly code: string;
  readonly payload: string;
  /** SHA-256 of the data set's stable JSON, lower-case hex: the data set holds the network key. */
  readonly network_digest: string;
}

/** Every sensor holds the network data set of its bundle, and the gateway answers its first CoAP message. */
export const join: Step = {
  id: "join",
  async prove(context) {
    const networkKey = readFileSync(context.deployed.placement.secretFile("backend", "network.key"), "utf8");
    let digest = "";
    for (const sensor of context.sensors) {
      const joined = (await call(context, "POST", sensor, "join")) as Joined;
      const { bundle } = (await call(context, "GET", sensor, "provisioning")) as { bundle: string };
      const { sensor_id: sensorId, public_key: publicKey } = sensor;
      const { network } = verifyProvisioningBundle({ dsse: bundle, sensorId, publicKey });
      digest = createHash("sha256").update(stableJson(network)).digest("hex");
      proven(network.network_key === networkKey.trim(), `the bundle of ${short(sensorId)} is for another network`);
      proven(joined.network_digest === digest, `${short(sensorId)} holds another data set than that of its bundle`);
      proven(
        joined.code === "2.05" && joined.payload.includes("</tk/v1>"),
        `the gateway answered ${joined.code} "${joined.payload}"`,
      );
    }
    return `${context.sensors.length} sensors hold the bundle's data set (SHA-256 ${digest.slice(0, 16)}…); the gateway answers GET /.well-known/core with 2.05`;
  },
};

function call({ deployed }: ProofContext, method: "GET" | "POST", sensor: Sensor, what: string): Promise<unknown> {
  return deployed.control("simulator", method, `/sensors/${sensor.sensor_id}/${what}`);
}
