import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { ImageSignature } from "./judge.ts";
import { parseSigningKey, type SigningKey } from "./signing-key.ts";

/** A signer of images, for tests, by cosign's published format. */
export interface TestSigner {
  readonly pem: string;
  readonly key: SigningKey;
  readonly signBytes: (bytes: Buffer) => ImageSignature;
  /** A signature of a reference at a digest, with changes to what is signed. */
  readonly sign: (reference: string, digest: string, critical?: Readonly<Record<string, unknown>>) => ImageSignature;
}

/** A new key pair of P-256. */
export function testSigner(): TestSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const signBytes = (bytes: Buffer): ImageSignature => ({
    payload: bytes.toString("base64"),
    signature: sign("sha256", bytes, privateKey).toString("base64"),
  });
  return {
    pem,
    key: parseSigningKey(pem, "test.pub"),
    signBytes,
    sign: (reference, digest, critical = {}) => {
      const identity = { "docker-reference": reference };
      const image = { "docker-manifest-digest": digest };
      const type = "cosign container image signature";
      return signBytes(
        Buffer.from(JSON.stringify({ critical: { identity, image, type, ...critical }, optional: null })),
      );
    },
  };
}

/** A digest of some text, as registries write it. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
