import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { ECPrivateKey } from "@peculiar/asn1-ecc";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { x509 } from "../../../certs/x509.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Keys that a forger may use. */
const KEYS = {
  "P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-224": () => generateKeyPairSync("ec", { namedCurve: "P-224" }),
  "P-192": () => generateKeyPairSync("ec", { namedCurve: "prime192v1" }),
  "RSA-1024": () => generateKeyPairSync("rsa", { modulusLength: 1024 }),
} as const;

/** What somebody makes who has an authority's key, and asks none of our functions. */
export interface Forgery {
  /** Attributes in their order; one that stands twice is there twice. */
  readonly subject: readonly Readonly<Record<string, readonly string[]>>[];
  /** Who signs. @default the key itself */
  readonly issuer?: CertifiedKey;
  /** @default {@link clientLeaf} */
  readonly extensions?: readonly x509.Extension[];
  /** Minutes from now. @default -1 */
  readonly fromMinutes?: number;
  /** Minutes from now. @default a day */
  readonly toMinutes?: number;
  readonly key?: keyof typeof KEYS;
  readonly hash?: "SHA-1" | "SHA-256";
  /** Certificates sent behind the leaf, PEM. @default what `issuer` has */
  readonly chain?: string;
}

/** Extensions of a TLS client's leaf, with these alternative names and usages. */
export function clientLeaf(
  names: ConstructorParameters<typeof x509.SubjectAlternativeNameExtension>[0] = [],
  usages: readonly string[] = [x509.ExtendedKeyUsage.clientAuth],
  keyUsage: x509.KeyUsageFlags = x509.KeyUsageFlags.digitalSignature,
): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(keyUsage, true),
    new x509.ExtendedKeyUsageExtension([...usages]),
    ...(Array.isArray(names) && names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
  ];
}

/** Extensions of an authority that may have others below it. */
export function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

/** Makes a certificate that nothing of ours would. */
export async function forge(forgery: Forgery): Promise<CertifiedKey> {
  const { issuer, subject, extensions = clientLeaf(), hash = "SHA-256" } = forgery;
  const { publicKey, privateKey } = KEYS[forgery.key ?? "P-256"]();
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.keyPem);
  const issuing = issuer === undefined ? publicKey : new X509Certificate(issuer.certPem).publicKey;
  const name = new x509.Name(subject.map((each) => mutable(each)));
  const now = Math.floor(Date.now() / 1000) * 1000;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: issuer === undefined ? name : new x509.X509Certificate(issuer.certPem).subjectName,
    notBefore: new Date(now + (forgery.fromMinutes ?? -1) * MINUTE_MS),
    notAfter: new Date(now + (forgery.toMinutes ?? DAY_MS / MINUTE_MS) * MINUTE_MS),
    publicKey: spki(publicKey),
    signingKey: signer.toCryptoKey({ name: "ECDSA", namedCurve: curveOf(signer) }, true, ["sign"]),
    signingAlgorithm: { name: "ECDSA", hash },
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(spki(publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(spki(issuing)),
    ],
  });
  const keyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { certPem: `${certificate.toString("pem")}\n${forgery.chain ?? issuer?.certPem ?? ""}`, keyPem };
}

/** The certificate with the last bit of its signature turned. */
export function tampered({ certPem, keyPem }: CertifiedKey): CertifiedKey {
  const [leaf = "", ...rest] = splitPem(certPem);
  const der = Buffer.from(new X509Certificate(leaf).raw);
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return { certPem: `${x509.PemConverter.encode(der, "CERTIFICATE")}\n${rest.join("")}`, keyPem };
}

/** The certificate with the private key of somebody else, which says of itself that it belongs to it. */
export function withForeignKey({ certPem }: CertifiedKey): CertifiedKey {
  const scalar = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "der", type: "sec1" });
  const key = AsnConvert.parse(scalar, ECPrivateKey);
  const { x = "", y = "" } = new X509Certificate(certPem).publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  const lying = new ECPrivateKey({ ...key, publicKey: new Uint8Array(point).buffer });
  return { certPem, keyPem: `${x509.PemConverter.encode(AsnConvert.serialize(lying), "EC PRIVATE KEY")}\n` };
}

/** A critical extension that nobody knows. */
export function unknownCritical(): x509.Extension {
  return new x509.Extension("1.3.6.1.4.1.99999.1", true, AsnConvert.serialize(new OctetString([1])));
}

/** Every certificate of a PEM file, one text each. */
export function splitPem(pem: string): readonly string[] {
  return pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----\n?/g) ?? [];
}

function spki(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    createPublicKey(key.export({ format: "pem", type: "spki" })).export({ format: "der", type: "spki" }),
  );
}

function curveOf(key: KeyObject): string {
  return key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "P-384" : "P-256";
}

function mutable(attributes: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, [...values]]));
}
