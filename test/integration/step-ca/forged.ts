import { createPrivateKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SignJWT } from "jose";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../../certs/keys.ts";
import { x509 } from "../../../certs/x509.ts";
import { runProgram } from "../../support/run.ts";
import type { StepCaHarness } from "./harness.ts";
import type { Request } from "./requests.ts";

/** A request whose key openssl makes: of a kind that our own functions do not make. */
export async function opensslRequest(ca: StepCaHarness, newkey: readonly string[], name = "gw-01"): Promise<Request> {
  const [csr, key] = ["forged.csr", "forged.key"].map((file) => join(ca.folder, file)) as [string, string];
  const subject = ["-subj", `/CN=${name}`, "-nodes", "-keyout", key];
  const { code, stdout, stderr } = await runProgram("openssl", ["req", "-new", "-newkey", ...newkey, ...subject]);
  if (code !== 0) throw new Error(stderr);
  writeFileSync(csr, stdout);
  return { csrPem: stdout, keyPem: "" };
}

/** A request with one bit of its signature turned over. */
export function brokenSignature({ csrPem, keyPem }: Request): Request {
  const [der = new ArrayBuffer(0)] = x509.PemConverter.decode(csrPem);
  const bytes = new Uint8Array(der);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return { csrPem: `${x509.PemConverter.encode(bytes, "CERTIFICATE REQUEST")}\n`, keyPem };
}

/** A request for a key whose private half its sender has not: signed with another one. */
export async function stolenKey(name = "gw-01"): Promise<Request> {
  const [victim, thief] = [await generateKeyPair(), await generateKeyPair()];
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ CN: [name] }]),
    keys: { publicKey: victim.publicKey, privateKey: thief.privateKey },
    signingAlgorithm: { ...P256, hash: "SHA-256" },
  });
  return { csrPem: `${csr.toString("pem")}\n`, keyPem: await privateKeyPem(thief.privateKey) };
}

/** A certificate that an authority's real key signs without our checks. */
export async function forgedLeaf(
  issuer: {
    readonly certificate: x509.X509Certificate;
    readonly signingKey: CryptoKey | object;
    readonly certPem: string;
  },
  changes: {
    readonly notBefore?: Date;
    readonly notAfter?: Date;
    readonly usage?: x509.ExtendedKeyUsage;
    readonly ca?: boolean;
    /** Hex. @default random */
    readonly serial?: string;
  } = {},
): Promise<CertifiedKey> {
  const keys = await generateKeyPair();
  const { notBefore = new Date(Date.now() - 60_000), notAfter = new Date(Date.now() + 86_400_000) } = changes;
  const certificate = await x509.X509CertificateGenerator.create({
    ...(changes.serial !== undefined && { serialNumber: changes.serial }),
    subject: new x509.Name([{ O: ["acme"] }, { OU: ["devices"] }, { OU: ["sensirio"] }, { CN: ["TK 100"] }]),
    issuer: issuer.certificate.subjectName,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: issuer.signingKey as never,
    signingAlgorithm: { ...P256, hash: "SHA-256" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([changes.usage ?? x509.ExtendedKeyUsage.clientAuth]),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

/** What a token claims beside what it should. */
export interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly subject?: string;
  /** Seconds from now. */
  readonly issuedAt?: number;
  readonly notBefore?: number;
  readonly expires?: number;
}

/** A device's token with claims of its own. */
export function forgedToken(ca: StepCaHarness, by: CertifiedKey, claims: Claims = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const { servername } = ca.endpoint("gateways");
  const { issuedAt = 0, notBefore = 0, expires = 60 } = claims;
  const x5c = x509.PemConverter.decode(by.certPem).map((der) => Buffer.from(der).toString("base64"));
  return new SignJWT({})
    .setProtectedHeader({ alg: "ES256", typ: "JWT", x5c })
    .setIssuer(claims.issuer ?? "makers")
    .setAudience(claims.audience ?? `https://${servername}/1.0/sign#x5c/makers`)
    .setSubject(claims.subject ?? "gw-01")
    .setJti(randomUUID())
    .setIssuedAt(now + issuedAt)
    .setNotBefore(now + notBefore)
    .setExpirationTime(now + expires)
    .sign(createPrivateKey(by.keyPem));
}

/** A private key that nobody knows. */
export function strangersKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}
