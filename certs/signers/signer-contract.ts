import { createPublicKey, verify, webcrypto } from "node:crypto";
import { compactVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { x509 } from "../x509.ts";
import { signJws } from "./sign-jws.ts";
import { COORDINATE_BYTES, CURVE_HASH, type Curve, type KeySigner } from "./signer.ts";

/** A back end, as the contract's tests meet it. */
export interface SignerBackend {
  readonly create: (name: string, curve: Curve) => Promise<KeySigner>;
  readonly load: (name: string) => Promise<KeySigner>;
}

const DATA = Buffer.from("the quick brown fox");
const CURVES = ["P-256", "P-384"] as const;

/** What holds for every back end that keeps a private key. */
export function signerContract(name: string, backend: () => SignerBackend): void {
  describe.each(CURVES)(`${name}, %s`, (curve) => {
    let signer: KeySigner;
    beforeAll(async () => {
      signer = await backend().create(`key-${curve}`, curve);
    });
    afterAll(() => signer.close());
    const algorithm = { name: "ECDSA", hash: CURVE_HASH[curve] } as const;

    test("is a key on its curve, that is not to be exported", async () => {
      const key = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
      expect(key.asymmetricKeyDetails?.namedCurve).toBe(curve === "P-256" ? "prime256v1" : "secp384r1");
      expect(signer.curve).toBe(curve);
      expect(signer.signingKey).toMatchObject({ type: "private", extractable: false, usages: ["sign"] });
      await expect(signer.crypto.subtle.exportKey("pkcs8", signer.signingKey)).rejects.toThrow();
    });

    test("signs what its public key verifies, as r and s of full size", async () => {
      const key = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
      // A coordinate starts with a zero octet in one signature of 128.
      for (let count = 0; count < 8; count += 1) {
        const signature = Buffer.from(await signer.crypto.subtle.sign(algorithm, signer.signingKey, DATA));
        expect(signature).toHaveLength(2 * COORDINATE_BYTES[curve]);
        expect(verify(algorithm.hash, DATA, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
        expect(verify(algorithm.hash, Buffer.from("other"), { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(false);
      }
    });

    test("signs what is asked for at once, one after the other", async () => {
      const messages = [1, 2, 3].map((each) => Buffer.from([each]));
      const signatures = await Promise.all(
        messages.map((each) => signer.crypto.subtle.sign(algorithm, signer.signingKey, each)),
      );
      for (const [index, signature] of signatures.entries()) {
        const message = messages[index] ?? DATA;
        expect(await webcrypto.subtle.verify(algorithm, signer.publicKey, signature, message)).toBe(true);
      }
    });

    test("issues a certificate", async () => {
      const certificate = await x509.X509CertificateGenerator.createSelfSigned(
        {
          name: "CN=contract",
          keys: { publicKey: signer.publicKey, privateKey: signer.signingKey },
          signingAlgorithm: algorithm,
        },
        signer.crypto,
      );
      expect(await certificate.verify({ signatureOnly: true })).toBe(true);
      expect(Buffer.from(certificate.publicKey.rawData)).toEqual(signer.publicKeySpki);
    });

    test("signs a JWS that jose verifies", async () => {
      const jws = await signJws(signer, { typ: "contract" }, DATA);
      const { payload, protectedHeader } = await compactVerify(jws, signer.publicKey);
      expect(Buffer.from(payload)).toEqual(DATA);
      expect(protectedHeader.alg).toBe(curve === "P-256" ? "ES256" : "ES384");
      const [head = "", , tail = ""] = jws.split(".");
      const forged = [head, Buffer.from("other").toString("base64url"), tail].join(".");
      await expect(compactVerify(forged, signer.publicKey)).rejects.toThrow("signature verification failed");
    });

    test("leaves other keys to this process", async () => {
      const other = await signer.crypto.subtle.generateKey({ name: "ECDSA", namedCurve: curve }, false, [
        "sign",
        "verify",
      ]);
      const signature = await signer.crypto.subtle.sign(algorithm, other.privateKey, DATA);
      expect(await signer.crypto.subtle.verify(algorithm, other.publicKey, signature, DATA)).toBe(true);
      expect(await signer.crypto.subtle.verify(algorithm, signer.publicKey, signature, DATA)).toBe(false);
      const digest = Buffer.from(await signer.crypto.subtle.digest("SHA-256", DATA));
      expect(digest).toEqual(Buffer.from(await webcrypto.subtle.digest("SHA-256", DATA)));
    });

    test("is the same key when it is loaded again", async () => {
      const again = await backend().load(`key-${curve}`);
      expect(again.publicKeySpki).toEqual(signer.publicKeySpki);
      expect(again.curve).toBe(curve);
      const signature = await again.crypto.subtle.sign(algorithm, again.signingKey, DATA);
      expect(await webcrypto.subtle.verify(algorithm, signer.publicKey, signature, DATA)).toBe(true);
      await again.close();
    });

    test("says where it is", () => {
      expect(signer.where).toContain(`key-${curve}`);
    });

    test("is not replaced by another of its name", async () => {
      await expect(backend().create(`key-${curve}`, curve)).rejects.toMatchObject({ code: "SIGNER_KEY_EXISTS" });
      const again = await backend().load(`key-${curve}`);
      expect(again.publicKeySpki).toEqual(signer.publicKeySpki);
      await again.close();
    });
  });

  test(`${name} has no key that nobody made`, async () => {
    await expect(backend().load("nobody")).rejects.toMatchObject({ code: "SIGNER_KEY_MISSING", exit: 4 });
  });
}
