import type { OperatorClient } from "./operator-client.ts";

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

/** Asks a factory-fresh sensor one question over its provisioning radio. */
export type AskSensor = (question: {
  readonly op: string;
  readonly [member: string]: unknown;
}) => Promise<Readonly<Record<string, unknown>>>;

/** Does what a person with a provisioning tool does: stands between a factory-fresh sensor's radio and the backend. */
export async function provision(operator: OperatorClient, ask: AskSensor): Promise<Provisioned> {
  const identity = await ask({ op: "identify" });
  const { sensor_id } = identity;
  const challenge = (await operator("POST", "/v1/provisioning/challenge", { sensor_id })) as Record<string, string>;
  const { signature = "" } = (await ask({ op: "prove", nonce: challenge.nonce })) as Record<string, string>;
  const challengeId = challenge.challenge_id ?? "";
  const asked = await operator("POST", "/v1/provisioning/bundle", bundleRequest(identity, challengeId, signature));
  const { bundle } = asked as { bundle: string };
  const { activation } = await ask({ op: "provision", bundle });
  const bundleId = bundleIdOf(bundle);
  await operator("POST", "/v1/provisioning/activate", { bundle_id: bundleId, sensor_id, signature: activation });
  return { bundle, bundleId, challengeId, identity, proof: signature };
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
