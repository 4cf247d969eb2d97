import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { certsErrors } from "./errors.ts";
import type { CertifiedKey } from "./issue.ts";

/** Iterations of the key derivation, and of the one for the MAC; the format's readers stop somewhere above. */
const ITERATIONS = 50_000;

const SALT_BYTES = 16;

/** Printable ASCII: what two programs encode otherwise, one of them cannot open. */
const PASSPHRASE = /^[\x20-\x7e]{12,128}$/;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const { asn1, pki } = forge;
const { Class, Type } = asn1;

/** Object identifier of SHA-256 (RFC 5754, section 2.2). */
const SHA256 = "2.16.840.1.101.3.4.2.1";

/** What a file for another system is made from. */
export interface Pkcs12Request extends CertifiedKey {
  /** 12 to 128 of printable ASCII. */
  readonly passphrase: string;
  /** What the system shows, printable ASCII. */
  readonly friendlyName: string;
  /**
   * Triple DES and SHA-1 in place of AES-256 and SHA-256, for what reads nothing else: Windows before 10 (1709) and Server 2019,
   * and Apple's systems where they refuse the modern form. The passphrase then has to be random. @default false
   */
  readonly legacy?: boolean | undefined;
}

/**
 * A certificate, its chain and its private key as PKCS #12 (RFC 7292), for Windows, iOS and browsers: the key under PBES2
 * with AES-256 and PBKDF2 with HMAC-SHA-256, all of it under a MAC with SHA-256; certificates are not secret, and stand in
 * the clear. node-forge, which has no elliptic curves, sees the key and the certificates as opaque DER.
 * @returns DER. It is a secret as good as its passphrase
 * @throws PKCS12_PASSPHRASE, CERT_AUTHORITY_INVALID when the key cannot be read or is not that of the certificate
 */
export function renderPkcs12(request: Pkcs12Request): Buffer {
  const { passphrase, friendlyName, legacy = false } = request;
  if (!PASSPHRASE.test(passphrase)) {
    throw certsErrors.error("PKCS12_PASSPHRASE", "the passphrase is not 12 to 128 of printable ASCII", {
      path: "passphrase",
    });
  }
  const { key, certificates } = read(request);
  const localKeyId = createHash("sha1")
    .update(certificates[0] ?? Buffer.of())
    .digest();
  const attributes = set([
    attribute(pki.oids.localKeyId, primitive(Type.OCTETSTRING, binary(localKeyId))),
    attribute(pki.oids.friendlyName, primitive(Type.BMPSTRING, friendlyName)),
  ]);
  const certBags = certificates.map((der, index) =>
    sequence([
      oid(pki.oids.certBag),
      explicit(sequence([oid(pki.oids.x509Certificate), explicit(primitive(Type.OCTETSTRING, binary(der)))])),
      ...(index === 0 ? [attributes] : []),
    ]),
  );
  const keyBag = sequence([oid(pki.oids.pkcs8ShroudedKeyBag), explicit(shroud(key, passphrase, legacy)), attributes]);
  const safe = encode(sequence([data(sequence(certBags)), data(sequence([keyBag]))]));
  const pfx = sequence([integer(3), dataOf(safe), mac(safe, passphrase, legacy)]);
  return Buffer.from(encode(pfx), "binary");
}

function read({ certPem, keyPem }: CertifiedKey): { readonly key: Buffer; readonly certificates: readonly Buffer[] } {
  try {
    const key = createPrivateKey(keyPem);
    const certificates = (certPem.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (certificates[0]?.checkPrivateKey(key) !== true) throw new TypeError("not its key");
    return { key: key.export({ format: "der", type: "pkcs8" }), certificates: certificates.map(({ raw }) => raw) };
  } catch {
    throw certsErrors.error("CERT_AUTHORITY_INVALID", "the private key is not that of the certificate", {
      path: "certificate",
      fix: "put the certificate, its issuer's, and the certificate's own key into one file, as `trustkern certs issue` does",
    });
  }
}

function shroud(pkcs8: Buffer, passphrase: string, legacy: boolean): forge.asn1.Asn1 {
  const key = asn1.fromDer(forge.util.createBuffer(binary(pkcs8)));
  const common = { count: ITERATIONS, saltSize: SALT_BYTES };
  return pki.encryptPrivateKeyInfo(
    key,
    passphrase,
    legacy ? { ...common, algorithm: "3des" } : { ...common, algorithm: "aes256", prfAlgorithm: "sha256" },
  );
}

/** RFC 7292, section 4: HMAC under a key that is derived as its appendix B says. */
function mac(safe: string, passphrase: string, legacy: boolean): forge.asn1.Asn1 {
  const digest = (): forge.md.MessageDigest => (legacy ? forge.md.sha1.create() : forge.md.sha256.create());
  const salt = forge.random.getBytesSync(SALT_BYTES);
  const derive = forge.pkcs12.generateKey as unknown as Derive;
  const key = derive(passphrase, forge.util.createBuffer(salt), 3, ITERATIONS, legacy ? 20 : 32, digest());
  const hmac = forge.hmac.create();
  hmac.start(digest(), key);
  hmac.update(safe);
  const algorithm = sequence([oid(legacy ? pki.oids.sha1 : SHA256), primitive(Type.NULL, "")]);
  const value = primitive(Type.OCTETSTRING, hmac.getMac().getBytes());
  return sequence([sequence([algorithm, value]), primitive(Type.OCTETSTRING, salt), integer(ITERATIONS)]);
}

/** `forge.pkcs12.generateKey` as it is; its types leave out the digest and the salt's form. */
type Derive = (
  passphrase: string,
  salt: forge.util.ByteStringBuffer,
  id: 1 | 2 | 3,
  iterations: number,
  bytes: number,
  digest: forge.md.MessageDigest,
) => forge.util.ByteStringBuffer;

function data(content: forge.asn1.Asn1): forge.asn1.Asn1 {
  return dataOf(encode(content));
}

/** ContentInfo of type `data` (RFC 2315, section 8). */
function dataOf(bytes: string): forge.asn1.Asn1 {
  return sequence([oid(pki.oids.data), explicit(primitive(Type.OCTETSTRING, bytes))]);
}

function attribute(id: string | undefined, value: forge.asn1.Asn1): forge.asn1.Asn1 {
  return sequence([oid(id), set([value])]);
}

function sequence(of: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, of);
}

function set(of: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, of);
}

function explicit(of: forge.asn1.Asn1): forge.asn1.Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, 0 as forge.asn1.Type, true, [of]);
}

function primitive(type: forge.asn1.Type, bytes: string): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, bytes);
}

function integer(value: number): forge.asn1.Asn1 {
  return primitive(Type.INTEGER, asn1.integerToDer(value).getBytes());
}

function oid(id: string | undefined): forge.asn1.Asn1 {
  return primitive(Type.OID, asn1.oidToDer(id ?? "").getBytes());
}

function encode(value: forge.asn1.Asn1): string {
  return asn1.toDer(value).getBytes();
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("binary");
}
