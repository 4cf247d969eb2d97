import { createHash, X509Certificate } from "node:crypto";
import { compactVerify } from "jose";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import { permittedNamespace } from "../name-constraints.ts";
import { normalSerial } from "../serial.ts";
import { x509 } from "../x509.ts";
import { ceremonyErrors } from "./errors.ts";

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().min(1).max(100);

const certificateSchema = z.strictObject({
  /** `root`, a class of leaves, or `maker-<maker>`. */
  authority: name,
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  /** SHA-256 over the certificate's DER. */
  sha256: hex,
  /** SHA-256 over its SubjectPublicKeyInfo. */
  spkiSha256: hex,
  curve: z.enum(["P-256", "P-384"]),
  /** Where its private key is. */
  key: z.string(),
  /** Namespace of a cluster whose Services it may name. @default none */
  namespace: name.optional(),
});

const transcriptSchema = z.strictObject({
  schema: z.literal("trustkern.ceremony/1"),
  time: z.iso.datetime(),
  tenant: name,
  /** Who conducted it. */
  conductor: name,
  witnesses: z.array(name),
  /** Programs and their versions. */
  versions: z.record(z.string(), z.string()),
  /** The root first. */
  certificates: z.array(certificateSchema).min(1),
  /** Authorities whose keys this ceremony made, where it took others over. @default all of them */
  made: z.array(name).optional(),
  /** SHA-256 of the compact JWS of the transcript before this one. @default this is the first */
  follows: hex.optional(),
});

/** What happened in a ceremony; the root's key signs it. */
export type Transcript = z.output<typeof transcriptSchema>;

/** One certificate as a transcript has it. */
type TranscriptCertificate = z.output<typeof certificateSchema>;

/** `typ` of the transcript's JWS. */
export const TRANSCRIPT_TYPE = "trustkern-ceremony+jws";

/** What {@link verifyTranscript} compares. */
export interface TranscriptCheck {
  /** Compact JWS. */
  readonly jws: string;
  /** The root's certificate, from where it is trusted. */
  readonly rootPem: string;
  /** Certificates that are in use, PEM, by authority; those that are not named are not compared. @default none */
  readonly certificates?: Readonly<Record<string, string>> | undefined;
}

/** SHA-256 of a certificate and of its key, as transcripts have them. */
export function fingerprintsOf(pem: string): { readonly sha256: string; readonly spkiSha256: string } {
  const { raw, publicKey } = new X509Certificate(pem);
  return { sha256: sha256(raw), spkiSha256: sha256(publicKey.export({ format: "der", type: "spki" })) };
}

/** What a transcript says of one authority. @param key where its private key is */
export function certificateEntry(authority: string, certPem: string, key: string): TranscriptCertificate {
  const { subject, issuer, serialNumber, validFromDate, validToDate, publicKey } = new X509Certificate(certPem);
  const namespace = permittedNamespace(new x509.X509Certificate(certPem));
  return {
    authority,
    subject: subject.replaceAll("\n", ", "),
    issuer: issuer.replaceAll("\n", ", "),
    serial: normalSerial(serialNumber),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    ...fingerprintsOf(certPem),
    curve: publicKey.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "P-384" : "P-256",
    key,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** What the next transcript names this one by: SHA-256 over its compact JWS, lower-case hex. */
export function transcriptDigest(jws: string): string {
  return sha256(Buffer.from(jws, "ascii"));
}

/** Whether a transcript is what the root's key signed, about this root and these certificates: no finding is a yes. */
export async function verifyTranscript({ jws, rootPem, certificates = {} }: TranscriptCheck): Promise<Finding[]> {
  let transcript: Transcript;
  try {
    transcript = await openTranscript(jws, rootPem);
  } catch (thrown) {
    return [finding("transcript", messageOf(thrown))];
  }
  const [root] = transcript.certificates;
  const used = { root: rootPem, ...certificates };
  return [
    ...(root?.authority === "root" ? [] : [finding("certificates", "its first certificate is not the root's")]),
    ...Object.entries(used).flatMap(([authority, pem]) => compare(transcript, authority, pem)),
  ];
}

/**
 * What a transcript says, once its signature is found to be the root's.
 * @throws TRANSCRIPT_INVALID
 */
export async function openTranscript(jws: string, rootPem: string): Promise<Transcript> {
  try {
    const key = new X509Certificate(rootPem).publicKey;
    const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: ["ES256", "ES384"] });
    if (protectedHeader.typ !== TRANSCRIPT_TYPE) throw new Error(`its type is ${String(protectedHeader.typ)}`);
    return transcriptSchema.parse(JSON.parse(Buffer.from(payload).toString("utf8")));
  } catch (thrown) {
    throw ceremonyErrors.error("TRANSCRIPT_INVALID", `the transcript is not the root's: ${messageOf(thrown)}`, {
      path: "transcript",
    });
  }
}

function compare({ certificates }: Transcript, authority: string, pem: string): Finding[] {
  const path = `certificates.${authority}`;
  const said = certificates.find((each) => each.authority === authority);
  if (said === undefined) return [finding(path, "the transcript has no such authority")];
  const found = certificateEntry(authority, pem, said.key);
  if (found.sha256 !== said.sha256 || found.spkiSha256 !== said.spkiSha256) {
    return [finding(path, `the certificate is ${found.sha256}, and that of the transcript is ${said.sha256}`)];
  }
  if (found.namespace === said.namespace) return [];
  const message = `it may name ${services(found.namespace)}, and the transcript says ${services(said.namespace)}`;
  return [finding(path, message)];
}

function services(namespace: string | undefined): string {
  return namespace === undefined ? "Services of no namespace" : `the Services of namespace "${namespace}"`;
}

function finding(path: string, message: string): Finding {
  return { code: "TRANSCRIPT_INVALID", path, message, fix: ceremonyErrors.entries.TRANSCRIPT_INVALID.fix };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
