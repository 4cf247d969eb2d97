import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { bytesOfHex, hexOf } from "../../../protocol/hex.ts";
import { activationBytes, proofBytes } from "../../../protocol/provisioning.ts";
import { p256Signer, type Signer } from "../../../protocol/signature.ts";

/** A sensor's half of provisioning, with its key in memory. */
export class TestSensor {
  readonly id: string;
  readonly publicKey: string;
  readonly #sign: Signer;

  constructor(id = randomBytes(9).toString("hex"), key?: KeyObject) {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.id = id;
    this.publicKey = hexOf(pair.publicKey.export({ format: "raw-public" }));
    this.#sign = p256Signer(key ?? pair.privateKey);
  }

  get identity(): object {
    return { sensor_id: this.id, public_key: this.publicKey, maker: "acme", model: "tk-1" };
  }

  /** Signs a challenge, as the body of a bundle request. */
  async prove({ challenge_id, nonce }: { readonly challenge_id: string; readonly nonce: string }): Promise<object> {
    const proof = { sensorId: bytesOfHex(this.id), publicKey: bytesOfHex(this.publicKey), nonce: bytesOfHex(nonce) };
    return { challenge_id, ...this.identity, signature: hexOf(await this.#sign(proofBytes(proof))) };
  }

  /** Signs for a bundle that it took. */
  async activate(bundleId: string): Promise<object> {
    const activation = { sensorId: bytesOfHex(this.id), bundleId: bytesOfHex(bundleId) };
    return { bundle_id: bundleId, sensor_id: this.id, signature: hexOf(await this.#sign(activationBytes(activation))) };
  }
}
