import { randomBytes, type webcrypto } from "node:crypto";
import type { SecurityEvent } from "../shared/security-event.ts";
import { generateKeyPair, P256, privateKeyPem } from "./keys.ts";
import type { Validity } from "./validity.ts";
import { x509 } from "./x509.ts";

/** A certificate with its private key, both PEM. `keyPem` is a secret. */
export interface CertifiedKey {
  /** A leaf is followed by its intermediate, as TLS servers and clients send it. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** What one issuance gives: the pair, and the event that the caller must hand to the security log. */
export interface Issued extends CertifiedKey {
  readonly event: SecurityEvent;
}

/** An authority that is loaded and can sign. */
export interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
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
}

/**
 * Makes a key pair and signs its certificate; without a signer it signs itself. Adds the subject and authority key
 * identifiers (RFC 5280, sections 4.2.1.1 and 4.2.1.2) and a random serial number of 128 bits.
 */
export async function issue(template: CertificateTemplate, signer?: Signer): Promise<Issued> {
  const keys = await generateKeyPair();
  const keyIdentifier = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  const authorityKeyIdentifier = await x509.AuthorityKeyIdentifierExtension.create(
    signer === undefined ? keys.publicKey : signer.certificate.publicKey,
  );
  const certificate = await x509.X509CertificateGenerator.create({
    // The encoder adds a leading zero octet where the first bit is set, so that the number is positive (section 4.1.2.2).
    serialNumber: randomBytes(16).toString("hex"),
    subject: template.subject,
    issuer: signer === undefined ? template.subject : signer.certificate.subjectName,
    ...template.validity,
    publicKey: keys.publicKey,
    signingKey: signer?.signingKey ?? keys.privateKey,
    signingAlgorithm: { ...P256, hash: "SHA-256" },
    extensions: [...template.extensions, keyIdentifier, authorityKeyIdentifier],
  });
  return {
    certPem: `${certificate.toString("pem")}\n`,
    keyPem: await privateKeyPem(keys.privateKey),
    event: {
      kind: "CERT_ISSUED",
      time: template.now.toISOString(),
      tenant: template.tenant,
      actor: signer?.name ?? template.name,
      sourceAddress: null,
      object: certificate.serialNumber,
      reason: template.name,
      count: 1,
      correlationId: null,
    },
  };
}
