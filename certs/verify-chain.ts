import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { messageOf } from "../shared/errors.ts";
import { type CertificateClass, classOfIssuer, commonName } from "./certificate-class.ts";
import { readCrl, verifyCrl } from "./crl.ts";
import { type DenialReason, denialFix } from "./denial.ts";
import type { ChainFinding } from "./finding.ts";
import { keyAlgorithm } from "./keys.ts";
import { LEAF_CLASSES } from "./names.ts";
import { normalSerial } from "./serial.ts";
import { wrongNames } from "./verify-names.ts";

/** Object identifiers of RFC 5280, section 4.2.1.12. */
const USAGES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What {@link verifyChain} looks at. */
export interface ChainRequest {
  /** A leaf and then its intermediate, PEM. */
  readonly chainPem: string;
  /** The trust anchor, PEM; while a root is rotated, both, one after the other. */
  readonly rootPem: string;
  readonly at: Date;
  readonly purpose: keyof typeof USAGES;
  /** DNS name or IP address that the leaf must carry. @default not checked */
  readonly host?: string | undefined;
  /** Classes that are accepted; `devices` only where something enrols. @default services, gateways and operators */
  readonly classes?: readonly CertificateClass[] | undefined;
  /** Revocation lists, PEM: with any, both issuers must have a valid one. @default revocation is not checked */
  readonly crls?: readonly string[] | undefined;
}

/**
 * Verifies a chain with node:crypto alone, so that a fault of the library that issued it shows: signatures, dates,
 * authority flags, purpose, revocation, and that the names are those of the class of the authority that signed (RFC 5280,
 * section 6.1). Each finding has the reason for which whoever shows the chain is refused.
 */
export function verifyChain(request: ChainRequest): readonly ChainFinding[] {
  const chain = parseChain(request.chainPem, request.rootPem);
  if (!Array.isArray(chain)) return [chain];
  const [leaf, intermediate, root] = chain;
  return [
    ...dates(leaf, "leaf", request.at),
    ...dates(intermediate, "intermediate", request.at),
    ...dates(root, "root", request.at),
    ...issuedBy(leaf, intermediate, "leaf"),
    ...issuedBy(intermediate, root, "intermediate"),
    ...issuedBy(root, root, "root"),
    ...weakness(leaf),
    ...purpose(leaf, request),
    ...names(chain, request),
    ...revocation(leaf, intermediate, "leaf", request),
    ...revocation(intermediate, root, "intermediate", request),
  ];
}

type Chain = [leaf: X509Certificate, intermediate: X509Certificate, root: X509Certificate];

function parseChain(chainPem: string, rootPem: string): Chain | ChainFinding {
  try {
    const certificates = readAll(chainPem);
    const [leaf, intermediate, ...more] = certificates;
    const roots = readAll(rootPem);
    const root = roots.find((each) => intermediate?.verify(each.publicKey)) ?? roots[0];
    if (leaf && intermediate && root && more.length === 0) return [leaf, intermediate, root];
    const message = `must be a leaf and its intermediate under a root, got ${certificates.length} certificates`;
    return finding("CHAIN_FORM", "chain", message, "corrupt");
  } catch (thrown) {
    return finding("CHAIN_FORM", "chain", `cannot be read: ${messageOf(thrown)}`, "corrupt");
  }
}

function readAll(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

function dates({ validFromDate, validToDate }: X509Certificate, path: string, at: Date): ChainFinding[] {
  if (at >= validFromDate && at <= validToDate) return [];
  const range = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
  const reason = at < validFromDate ? "not-yet-valid" : "expired";
  return [finding("CHAIN_DATES", path, `is valid from ${range}, not at ${at.toISOString()}`, reason)];
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate, path: string): ChainFinding[] {
  const found: ChainFinding[] = [];
  const isAuthority = path !== "leaf";
  if (certificate.ca !== isAuthority) {
    const message = isAuthority ? "is no authority" : "is an authority, and must not be";
    found.push(finding("CHAIN_AUTHORITY", path, message, "wrong-usage"));
  }
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    found.push(finding("CHAIN_SIGNATURE", path, `was not signed by "${oneLine(issuer.subject)}"`, "wrong-ca"));
  }
  return found;
}

function weakness({ publicKey }: X509Certificate): ChainFinding[] {
  return keyAlgorithm(publicKey) === undefined
    ? [finding("CHAIN_KEY", "leaf", "has a key that is not on P-256 or P-384", "weak-key")]
    : [];
}

function purpose(leaf: X509Certificate, request: ChainRequest): ChainFinding[] {
  const found: ChainFinding[] = [];
  // For node:crypto, `keyUsage` is the extended key usage.
  if (!leaf.keyUsage?.includes(USAGES[request.purpose])) {
    found.push(finding("CHAIN_PURPOSE", "leaf", `is not for a TLS ${request.purpose}`, "wrong-usage"));
  }
  if (request.host !== undefined && !carries(leaf, request.host)) {
    found.push(finding("CHAIN_HOST", "leaf", `does not carry the name "${request.host}"`, "name-not-allowed"));
  }
  return found;
}

function carries(leaf: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? leaf.checkHost(host, { subject: "never" }) : leaf.checkIP(host)) !== undefined;
}

function names([leaf, intermediate, root]: Chain, { classes = LEAF_CLASSES }: ChainRequest): ChainFinding[] {
  const issuer = commonName(intermediate.subject);
  const leafClass = classOfIssuer(issuer);
  if (leafClass === undefined || !classes.includes(leafClass)) {
    return [
      finding("CHAIN_NAMES", "intermediate", `"${issuer}" is not an issuing authority that counts here`, "wrong-ca"),
    ];
  }
  return wrongNames(leaf, { leafClass, issuer: intermediate, root }).map(({ name, reason, accepted }) => {
    const instead = accepted === undefined ? "" : `; accepted: ${accepted}`;
    return finding("CHAIN_NAMES", "leaf", `carries "${name}", which "${issuer}" may not issue${instead}`, reason);
  });
}

function revocation(
  certificate: X509Certificate,
  issuer: X509Certificate,
  path: string,
  { crls, at }: ChainRequest,
): ChainFinding[] {
  if (crls === undefined) return [];
  const issuerPem = issuer.toString();
  const valid = crls.filter((pem) => verifyCrl({ pem, issuerPem, now: at }).length === 0).map(readCrl);
  if (valid.length === 0) {
    const message = `has no valid revocation list of "${oneLine(issuer.subject)}"`;
    return [finding("CHAIN_CRL", path, message, "revocation-unknown")];
  }
  const serial = normalSerial(certificate.serialNumber);
  const entry = valid.flatMap(({ revoked }) => revoked).find((each) => each.serial === serial);
  if (entry === undefined) return [];
  return [finding("CHAIN_REVOKED", path, `was revoked at ${entry.at.toISOString()}: ${entry.reason}`, "revoked")];
}

function oneLine(subject: string): string {
  return subject.replaceAll("\n", ", ");
}

function finding(code: string, path: string, message: string, reason: DenialReason): ChainFinding {
  return { code, path, message: `${path} ${message}`, fix: denialFix(reason), reason };
}
