import { X509Certificate } from "node:crypto";
import { LEAF_CLASSES, type LeafClass } from "../../../certs/names.ts";
import { normalSerial } from "../../../certs/serial.ts";
import { verifyChain } from "../../../certs/verify-chain.ts";
import { x509 } from "../../../certs/x509.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { revocationErrors } from "./errors.ts";

/** A leaf and its issuer, verified. */
export interface VerifiedChain {
  readonly serial: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly sha256: string;
  readonly leafClass: LeafClass;
  /** Common name. */
  readonly name: string;
  /** Uncompressed point in lower-case hex. */
  readonly publicKey: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly authority: AuthorityCertificate;
}

/** A certificate of an issuing authority. */
export interface AuthorityCertificate {
  /** Subject key identifier in lower-case hex, which tells two authorities of one name apart. */
  readonly keyId: string;
  /** Common name, such as `TrustKern gateways`. */
  readonly name: string;
  readonly pem: string;
}

/** Each certificate of a PEM text, in its order. */
export function certificatesOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/**
 * Verifies a leaf and its intermediate against one of the trust anchors.
 * @throws CERTIFICATE_REFUSED with all that is wrong
 */
export function verifiedChain(chainPem: string, anchorsPem: string, atMs: number): VerifiedChain {
  const anchors = certificatesOf(anchorsPem);
  const findings = anchors.map((rootPem) =>
    verifyChain({ chainPem, rootPem, at: new Date(atMs), purpose: purposeOf(chainPem) }),
  );
  if (!findings.some((found) => found.length === 0)) {
    const wrong = (findings[0] ?? []).map(({ message }) => message).join("; ");
    throw revocationErrors.error("CERTIFICATE_REFUSED", wrong || "there is no trust anchor", { path: "chain_pem" });
  }
  const [leafPem = "", issuerPem = ""] = certificatesOf(chainPem);
  const leaf = new X509Certificate(leafPem);
  return {
    serial: normalSerial(leaf.serialNumber),
    sha256: sha256Of(leaf),
    leafClass: classOf(leaf),
    name: attributeOf(leaf, "CN"),
    publicKey: hexOf(leaf.publicKey.export({ format: "raw-public" })),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
    authority: authorityOf(issuerPem),
  };
}

/** SHA-256 of a certificate's DER in lower-case hex. */
export function sha256Of(certificate: { readonly fingerprint256: string }): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** What names an authority. @throws CERTIFICATE_REFUSED when it has no subject key identifier */
export function authorityOf(pem: string): AuthorityCertificate {
  const certificate = new x509.X509Certificate(pem);
  const identifier = certificate.getExtension(x509.SubjectKeyIdentifierExtension);
  if (identifier === null)
    throw revocationErrors.error("CERTIFICATE_REFUSED", `"${certificate.subject}" has no subject key identifier`);
  return { keyId: identifier.keyId.toLowerCase(), name: certificate.subjectName.getField("CN")[0] ?? "", pem };
}

/** The value of one attribute of a subject, or an empty text. */
export function attributeOf({ subject }: X509Certificate, attribute: string): string {
  const line = subject.split("\n").find((each) => each.startsWith(`${attribute}=`));
  return line?.slice(attribute.length + 1) ?? "";
}

/** Services listen, and some of them do nothing else; the others are clients alone. */
function purposeOf(chainPem: string): "server" | "client" {
  try {
    return attributeOf(new X509Certificate(chainPem), "OU") === "services" ? "server" : "client";
  } catch {
    return "client";
  }
}

function classOf(leaf: X509Certificate): LeafClass {
  const unit = attributeOf(leaf, "OU");
  const leafClass = LEAF_CLASSES.find((each) => each === unit);
  if (leafClass !== undefined) return leafClass;
  throw revocationErrors.error("CERTIFICATE_REFUSED", `"${unit}" is no class of leaves`, { path: "chain_pem" });
}
