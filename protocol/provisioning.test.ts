import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bytesOfHex, hexOf } from "./hex.ts";
import { activationBytes, proofBytes, verifyActivation, verifyProof } from "./provisioning.ts";
import { createProvisioningBundle, PROVISIONING_TYPE, verifyProvisioningBundle } from "./provisioning-bundle.ts";
import { importP256Point } from "./signature.ts";

interface Signed {
  readonly name: string;
  readonly sensor_id: string;
  readonly public_key: string;
  readonly signed_bytes: string;
  readonly signature: string;
  readonly valid: boolean;
}

interface Vectors {
  readonly keys_for_tests: Readonly<Record<"backend" | "sensor", { readonly public_key: string }>>;
  readonly bundle_content: Parameters<typeof createProvisioningBundle>[0];
  readonly bundle_payload: string;
  readonly proofs: readonly (Signed & { readonly nonce: string })[];
  readonly activations: readonly (Signed & { readonly bundle_id: string })[];
  readonly bundles: readonly {
    readonly name: string;
    readonly sensor_id: string;
    readonly public_key: string;
    readonly backend_key: string | null;
    readonly dsse: string;
    readonly result: string;
  }[];
}

const file = new URL("../test/fixtures/provisioning-v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;

describe("proof of possession", () => {
  it.each(vectors.proofs)("$name: $valid", ({ sensor_id, public_key, nonce, signed_bytes, signature, valid }) => {
    const proof = { sensorId: bytesOfHex(sensor_id), publicKey: bytesOfHex(public_key), nonce: bytesOfHex(nonce) };
    expect(hexOf(proofBytes(proof))).toBe(signed_bytes);
    expect(verifyProof(proof, bytesOfHex(signature))).toBe(valid);
  });

  it("refuses a public key that is not on the curve", () => {
    const proof = { sensorId: Buffer.alloc(9), publicKey: Buffer.alloc(65, 4), nonce: Buffer.alloc(32) };
    expect(() => verifyProof(proof, Buffer.alloc(64))).toThrow(expect.objectContaining({ code: "PROTOCOL_BAD_POINT" }));
  });
});

describe("activation", () => {
  it.each(vectors.activations)(
    "$name: $valid",
    ({ sensor_id, public_key, bundle_id, signed_bytes, signature, valid }) => {
      const activation = { sensorId: bytesOfHex(sensor_id), bundleId: bytesOfHex(bundle_id) };
      expect(hexOf(activationBytes(activation))).toBe(signed_bytes);
      const key = importP256Point(bytesOfHex(public_key));
      expect(verifyActivation(key, activation, bytesOfHex(signature))).toBe(valid);
    },
  );
});

describe("bundle", () => {
  it.each(vectors.bundles)("$name: $result", ({ sensor_id, public_key, backend_key, dsse, result }) => {
    const verify = () =>
      verifyProvisioningBundle({
        dsse,
        sensorId: sensor_id,
        publicKey: public_key,
        backendKey: backend_key ?? undefined,
      });
    if (result === "accepted") expect(verify()).toEqual(vectors.bundle_content);
    else expect(verify).toThrow(expect.objectContaining({ code: result }));
  });

  it("signs the published payload bytes under the pre-authentication encoding of DSSE", async () => {
    let signed = "";
    await createProvisioningBundle(vectors.bundle_content, (data) => {
      signed = Buffer.from(data).toString();
      return new Uint8Array(64);
    });
    const { bundle_payload } = vectors;
    const length = Buffer.byteLength(bundle_payload);
    expect(signed).toBe(`DSSEv1 ${PROVISIONING_TYPE.length} ${PROVISIONING_TYPE} ${length} ${bundle_payload}`);
  });

  it("never quotes the network key in an error", () => {
    const payload = Buffer.from(vectors.bundle_payload.slice(0, -1)).toString("base64");
    const dsse = JSON.stringify({ payload, payloadType: PROVISIONING_TYPE, signatures: [{ sig: "AA==" }] });
    const { sensor } = vectors.keys_for_tests;
    const thrown = (() => {
      try {
        return verifyProvisioningBundle({ dsse, sensorId: "00".repeat(9), publicKey: sensor.public_key });
      } catch (error) {
        return error as Error;
      }
    })();
    expect(thrown).toMatchObject({ code: "PROVISIONING_BUNDLE_INVALID" });
    expect(JSON.stringify([thrown, String(thrown)])).not.toContain(
      vectors.bundle_content.network.network_key.slice(0, 8),
    );
  });
});
