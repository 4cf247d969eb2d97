import { verifyProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { bundleRequest, type Provisioned, provision } from "../../host/provision.ts";
import { openRadio } from "./radio.ts";
import { type ProofContext, proven, type Sensor, type Step, short } from "./step.ts";

/** What a sensor keeps of its provisioning. */
interface Kept {
  readonly port: number;
  readonly bundle: string;
  readonly bundle_id: string;
  readonly activation: string;
}

/** Every sensor has a bundle that the backend signed for it after proof of possession, and no bundle works twice. */
export const provisioning: Step = {
  id: "provisioning",
  async prove(context) {
    const { operator } = context.deployed;
    const fresh = context.sensors.filter(({ state }) => state === "factory");
    let last: Provisioned | undefined;
    for (const { sensor_id } of fresh) {
      const radio = await openRadio(context.radios.get(sensor_id) ?? 0);
      try {
        last = await provision(operator, radio.ask);
      } finally {
        radio.close();
      }
    }
    const { public_key: backendKey } = (await operator("GET", "/v1/signing-key")) as { public_key: string };
    for (const sensor of context.sensors) {
      const kept = await keptBy(context, sensor);
      context.radios.set(sensor.sensor_id, kept.port);
      const { sensor_id: sensorId, public_key: publicKey } = sensor;
      verifyProvisioningBundle({ dsse: kept.bundle, sensorId, publicKey, backendKey });
      const again = { bundle_id: kept.bundle_id, sensor_id: sensorId, signature: kept.activation };
      await refused(() => operator("POST", "/v1/provisioning/activate", again), "PROVISIONING_BUNDLE_USED");
    }
    if (last !== undefined) await refusedChallenge(context, last);
    const how = fresh.length === 0 ? "as provisioned by an earlier run" : "each after a signed challenge";
    return `${context.sensors.length} bundles signed by the backend, ${how}; every second use refused (PROVISIONING_BUNDLE_USED)`;
  },
};

async function keptBy({ deployed }: ProofContext, sensor: Sensor): Promise<Kept> {
  const kept = await deployed.control("simulator", "GET", `/sensors/${sensor.sensor_id}/provisioning`);
  proven(kept !== null, `${short(sensor.sensor_id)} was not provisioned`);
  return kept as Kept;
}

async function refusedChallenge(
  { deployed }: ProofContext,
  { identity, challengeId, proof }: Provisioned,
): Promise<void> {
  const again = bundleRequest(identity, challengeId, proof);
  await refused(() => deployed.operator("POST", "/v1/provisioning/bundle", again), "PROVISIONING_CHALLENGE_USED");
}

async function refused(call: () => Promise<unknown>, code: string): Promise<void> {
  let answer = "success";
  try {
    await call();
  } catch (thrown) {
    answer = thrown instanceof TrustKernError ? thrown.code : String(thrown);
  }
  proven(answer === code, `a second use was answered with ${answer}, and not with ${code}`);
}
