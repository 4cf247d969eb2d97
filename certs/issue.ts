import { createPublicKey, randomBytes, type webcrypto } from "node:crypto";
import type { SecurityEvent } from "../shared/security-event.ts";
import {
  generateKeyPair,
  type KeyAlgorithm,
  keyAlgorithm,
  P256,
  parsePrivateKeyPem,
  privateKeyPem,
  signatureAlgorithm,
} from "./keys.ts";
import { normalSerial } from "./serial.ts";
import type { Validity } from "./validity.ts";
import { x509 } from "./x509.ts";

/** A certificate with its private key, both PEM. `keyPem` is a secret. */
export interface CertifiedKey {
  /** A leaf is followed by its intermediate, as TLS servers and clients send it. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** What one issuance gives to who keeps the key: the certificate, and the event that the caller must hand to the security log. */
export interface Certified {
  /** A leaf is followed by its intermediate. */
  readonly certPem: string;
  readonly event: SecurityEvent;
}

/** What one issuance gives that made the key as well. */
export interface Issued extends CertifiedKey, Certified {}

/** An authority that is loaded and can sign. */
export interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
  /** What signs, where the key is on a token. @default node:crypto */
  readonly crypto?: webcrypto.Crypto | undefined;
  /** Common name, for the event. */
  readonly name: string;
  readonly tenant: string;
}

/** What differs between the classes of certificates. */
export interface CertificateTemplate {
  readonly subject: x509.Name;
  readonly name: string;
  readonly validity: Validity;
  readonly extensions: readonly x509.Extension[];
  readonly tenant: string;
  readonly now: Date;
  /** PKCS #8 PEM of a key that exists already. @default a new key */
  readonly keyPem?: string | undefined;
}

/** Who signs a certificate: an authority, or the key of the certificate itself. */
export type Issuer = Signer | Pick<Signer, "signingKey" | "crypto">;

/**
 * Makes a key pair, unless the template has one, and signs its certificate; without a signer it signs itself.
 * @param algorithm of the new key
 * @throws CERT_AUTHORITY_INVALID when the template's key cannot be read
 */
export async function issue(
  template: CertificateTemplate,
  signer?: Signer,
  algorithm: KeyAlgorithm = P256,
): Promise<Issued> {
  const keyPem = template.keyPem ?? (await privateKeyPem((await generateKeyPair(algorithm)).privateKey));
  const key = await parsePrivateKeyPem(keyPem, `${template.name}.keyPem`);
  const certified = await certify(template, key.publicKeySpki, signer ?? key);
  return { ...certified, keyPem };
}

/**
 * Signs the certificate of a key that somebody else holds. Adds the subject and authority key identifiers (RFC 5280,
 * sections 4.2.1.1 and 4.2.1.2) and a random serial number of 128 bits.
 * @param publicKeySpki DER, on P-256 or P-384; the caller has checked it
 */
export async function certify(
  template: CertificateTemplate,
  publicKeySpki: Uint8Array,
  issuer: Issuer,
): Promise<Certified> {
  const publicKey = new x509.PublicKey(Uint8Array.from(publicKeySpki));
  const signer = "certificate" in issuer ? issuer : undefined;
  const signersKey = signer?.certificate.publicKey ?? publicKey;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      // The encoder adds a leading zero octet where the first bit is set, so that the number is positive (section 4.1.2.2).
      serialNumber: randomBytes(16).toString("hex"),
      subject: template.subject,
      issuer: signer?.certificate.subjectName ?? template.subject,
      ...template.validity,
      publicKey,
      signingKey: issuer.signingKey,
      signingAlgorithm: signingAlgorithmOf(signersKey),
      extensions: [
        ...template.extensions,
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(signersKey),
      ],
    },
    issuer.crypto,
  );
  return {
    certPem: `${certificate.toString("pem")}\n`,
    event: {
      kind: "CERT_ISSUED",
      time: template.now.toISOString(),
      tenant: template.tenant,
      actor: signer?.name ?? template.name,
      sourceAddress: null,
      object: normalSerial(certificate.serialNumber),
      reason: template.name,
      count: 1,
      correlationId: null,
    },
  };
}

/** The algorithm that an authority signs with: that of its own key, and the hash that is as strong. */
export function signingAlgorithmOf(publicKey: x509.PublicKey): ReturnType<typeof signatureAlgorithm> {
  const key = createPublicKey({ key: Buffer.from(publicKey.rawData), format: "der", type: "spki" });
  const algorithm = keyAlgorithm(key);
  if (algorithm === undefined) throw new TypeError("an authority's key is on P-256 or P-384");
  return signatureAlgorithm(algorithm);
}
