import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { keyIdOf } from "../../../protocol/hpke.ts";
import { p256Signer, type Signer, signEnvelope } from "../../../protocol/signature.ts";

/** A P-256 key pair with its public point in hex. */
export function makeKey(): { readonly privateKey: KeyObject; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: publicKey.export({ format: "raw-public" }).toString("hex") };
}

/** A sensor's signing half; its ciphertext is noise, which a gateway cannot tell. */
export class TestSensor {
  readonly id: string = randomBytes(9).toString("hex");
  readonly publicKey: string;
  readonly signer: Signer;

  constructor() {
    const { privateKey, publicKey } = makeKey();
    this.publicKey = publicKey;
    this.signer = p256Signer(privateKey);
  }

  envelope(
    bootId: number,
    seq: number,
    options: { readonly bytes?: number; readonly version?: number } = {},
  ): Promise<Uint8Array> {
    const { bytes = 64, version = 1 } = options;
    return signEnvelope(
      {
        version,
        sensorId: Buffer.from(this.id, "hex"),
        bootId,
        seq,
        timestamp: 0,
        flags: 1,
        keyId: keyIdOf(Buffer.alloc(32)),
        ciphertext: randomBytes(bytes),
      },
      this.signer,
    );
  }
}
