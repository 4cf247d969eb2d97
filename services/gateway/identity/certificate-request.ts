import { createPrivateKey, type webcrypto } from "node:crypto";
import { generateKeyPair, P256, privateKeyPem, signatureAlgorithm } from "../../../certs/keys.ts";
import { x509 } from "../../../certs/x509.ts";

/** A request for a certificate, with the key that signs it. A secret. */
export interface CertificateRequest {
  /** PKCS#8 PEM. */
  readonly key: string;
  /** PKCS #10 PEM. */
  readonly csr: string;
}

/** A new key and a request that it signs. The name is the gateway's; who is asked decides about all else. */
export async function newRequest(gateway: string): Promise<CertificateRequest> {
  const keys = await generateKeyPair(P256);
  return { key: await privateKeyPem(keys.privateKey), csr: await requestOf(gateway, keys) };
}

/** A request of the device's own key (PKCS#8 PEM): the only one that is certified for a device of a maker's record. */
export async function deviceRequest(gateway: string, keyPem: string): Promise<CertificateRequest> {
  const key = createPrivateKey(keyPem);
  const { d: _, ...point } = key.export({ format: "jwk" });
  const keys = {
    privateKey: key.toCryptoKey(P256, false, ["sign"]),
    publicKey: await crypto.subtle.importKey("jwk", point, P256, true, ["verify"]),
  };
  return { key: keyPem, csr: await requestOf(gateway, keys) };
}

async function requestOf(gateway: string, keys: webcrypto.CryptoKeyPair): Promise<string> {
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [gateway] }],
    keys,
    signingAlgorithm: signatureAlgorithm(P256),
  });
  return csr.toString("pem");
}
