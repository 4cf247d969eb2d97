import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { bytesOfHex } from "../../protocol/hex.ts";
import { verifyActivation, verifyProof } from "../../protocol/provisioning.ts";
import { createProvisioningBundle, type ProvisioningBundle } from "../../protocol/provisioning-bundle.ts";
import { importP256Point } from "../../protocol/signature.ts";
import { backendErrors } from "./errors.ts";
import { type Challenge, insertChallenge, takeChallenge } from "./registry/challenges.ts";
import { transaction } from "./registry/database.ts";
import { type Device, type DeviceIdentity, findDevice, putDevice, setState } from "./registry/devices.ts";
import type { Recipients } from "./registry/recipients.ts";
import type { SigningKey } from "./trust/keys.ts";

/** Milliseconds for which a challenge is good. */
export const CHALLENGE_LIFETIME_MS = 300_000;

/** A sensor's answer to its challenge, as the provisioner passes it on. */
export interface BundleRequest extends DeviceIdentity {
  readonly challengeId: string;
  /** Proof of possession, r || s in hex. */
  readonly signature: string;
}

/** A sensor's word that it took its bundle. */
export interface ActivationRequest {
  readonly bundleId: string;
  readonly sensorId: string;
  /** r || s in hex. */
  readonly signature: string;
}

/** The backend's half of docs/spec/provisioning.md. */
export interface Provisioning {
  /** @throws PROVISIONING_SENSOR_ACTIVE, DEVICE_REVOKED */
  readonly challenge: (sensorId: string) => Challenge;
  /** The signed bundle. @throws PROVISIONING_CHALLENGE_…, PROVISIONING_PROOF_INVALID, RECIPIENT_NONE, DEVICE_… */
  readonly bundle: (request: BundleRequest) => Promise<string>;
  /** @throws PROVISIONING_BUNDLE_…, PROVISIONING_ACTIVATION_INVALID */
  readonly activate: (request: ActivationRequest) => Device;
}

/** What {@link createProvisioning} works with. */
export interface ProvisioningOptions {
  readonly db: DatabaseSync;
  readonly key: Pick<SigningKey, "publicKey" | "signerFor">;
  readonly recipients: Pick<Recipients, "require">;
  /** What every bundle says of the place that the sensor joins. */
  readonly place: Pick<ProvisioningBundle, "network" | "gateway">;
  readonly now: () => number;
}

/** Provisioning on the registry's database. */
export function createProvisioning({ db, key, recipients, place, now }: ProvisioningOptions): Provisioning {
  return {
    challenge: (sensorId) =>
      transaction(db, () => {
        refuseFinished(findDevice(db, sensorId));
        const challengeId = randomBytes(16).toString("hex");
        const challenge = {
          challengeId,
          nonce: randomBytes(32).toString("hex"),
          expiresAtMs: now() + CHALLENGE_LIFETIME_MS,
        };
        insertChallenge(db, sensorId, challenge, now());
        return challenge;
      }),

    bundle: async (request) => {
      const recipient = recipients.require();
      const issuedAtMs = now();
      // Taken before the proof is looked at, and for good: a guess costs a challenge.
      const nonce = transaction(db, () => takeChallenge(db, request.challengeId, request.sensorId, issuedAtMs));
      assertProof(request, nonce);
      const bundleId = randomBytes(16).toString("hex");
      const updateCounter = transaction(db, () => recordBundle(db, request, bundleId, issuedAtMs));
      const bundle: ProvisioningBundle = {
        schema: "trustkern.provisioning/1",
        bundle_id: bundleId,
        sensor_id: request.sensorId,
        public_key: request.publicKey,
        issued_at: new Date(issuedAtMs).toISOString(),
        backend_key: key.publicKey,
        ...place,
        recipient: [...recipient],
        update_counter: updateCounter,
      };
      return createProvisioningBundle(bundle, key.signerFor("provisioning-bundle", request.sensorId));
    },

    activate: ({ bundleId, sensorId, signature }) =>
      transaction(db, () => {
        const device = assertIssued(db, bundleId, sensorId);
        const activation = { sensorId: bytesOfHex(sensorId), bundleId: bytesOfHex(bundleId) };
        if (!verifyActivation(importP256Point(bytesOfHex(device.publicKey)), activation, bytesOfHex(signature)))
          throw backendErrors.error("PROVISIONING_ACTIVATION_INVALID", `not signed by the key of sensor ${sensorId}`);
        db.prepare("UPDATE bundle SET state = 'activated' WHERE bundle_id = ?").run(bundleId);
        setState(db, sensorId, "active", now());
        return { ...device, state: "active" };
      }),
  };
}

function refuseFinished(device: Device | undefined): void {
  if (device?.state === "revoked")
    throw backendErrors.error("DEVICE_REVOKED", `sensor ${device.sensorId} is revoked`, { path: "sensor_id" });
  if (device?.state === "active")
    throw backendErrors.error("PROVISIONING_SENSOR_ACTIVE", `sensor ${device.sensorId} is active`, {
      path: "sensor_id",
    });
}

function assertProof({ sensorId, publicKey, signature }: BundleRequest, nonce: string): void {
  const proof = { sensorId: bytesOfHex(sensorId), publicKey: bytesOfHex(publicKey), nonce: bytesOfHex(nonce) };
  if (!verifyProof(proof, bytesOfHex(signature)))
    throw backendErrors.error("PROVISIONING_PROOF_INVALID", `the proof of sensor ${sensorId} does not verify`);
}

/** A sensor may have one bundle that can be activated, the newest. Gives the sensor's update counter. */
function recordBundle(db: DatabaseSync, identity: DeviceIdentity, bundleId: string, nowMs: number): number {
  const device = findDevice(db, identity.sensorId);
  refuseFinished(device);
  putDevice(db, identity, "provisioning", nowMs);
  db.prepare("UPDATE bundle SET state = 'superseded' WHERE sensor_id = ? AND state = 'issued'").run(identity.sensorId);
  db.prepare("INSERT INTO bundle (bundle_id, sensor_id, state, issued_at) VALUES (?, ?, 'issued', ?)").run(
    bundleId,
    identity.sensorId,
    nowMs,
  );
  return device?.updateCounter ?? 0;
}

function assertIssued(db: DatabaseSync, bundleId: string, sensorId: string): Device {
  const state = db
    .prepare("SELECT state FROM bundle WHERE bundle_id = ? AND sensor_id = ?")
    .get(bundleId, sensorId)?.state;
  const device = findDevice(db, sensorId);
  const about = `bundle ${bundleId} of sensor ${sensorId}`;
  if (state === undefined || device === undefined)
    throw backendErrors.error("PROVISIONING_BUNDLE_UNKNOWN", `no ${about} was issued`, { path: "bundle_id" });
  if (state === "activated")
    throw backendErrors.error("PROVISIONING_BUNDLE_USED", `${about} was activated before`, { path: "bundle_id" });
  if (state === "superseded")
    throw backendErrors.error("PROVISIONING_BUNDLE_SUPERSEDED", `${about} is void`, { path: "bundle_id" });
  refuseFinished(device);
  return device;
}
