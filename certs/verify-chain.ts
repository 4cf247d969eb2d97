import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { messageOf } from "../shared/errors.ts";
import type { Finding } from "../shared/finding.ts";
import { classDomain, isDottedDnsName, LEAF_CLASSES, type LeafClass, NAME_PREFIX } from "./names.ts";

/** Object identifiers of RFC 5280, section 4.2.1.12. */
const USAGES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** What {@link verifyChain} looks at. */
export interface ChainRequest {
  /** A leaf and then its intermediate, PEM. */
  readonly chainPem: string;
  /** The trust anchor, PEM. */
  readonly rootPem: string;
  readonly at: Date;
  readonly purpose: keyof typeof USAGES;
  /** DNS name or IP address that the leaf must carry. @default not checked */
  readonly host?: string | undefined;
}

/**
 * Verifies a chain with node:crypto alone, so that a fault of the library that issued it shows: signatures, dates,
 * authority flags, purpose, and that the names are those of the class of the authority that signed (RFC 5280, section 6.1).
 */
export function verifyChain(request: ChainRequest): readonly Finding[] {
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
    ...purpose(leaf, request),
    ...names(leaf, intermediate, root),
  ];
}

type Chain = [leaf: X509Certificate, intermediate: X509Certificate, root: X509Certificate];

function parseChain(chainPem: string, rootPem: string): Chain | Finding {
  try {
    const pems = chainPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const [leaf, intermediate, ...more] = pems.map((pem) => new X509Certificate(pem));
    if (leaf && intermediate && more.length === 0) return [leaf, intermediate, new X509Certificate(rootPem)];
    return finding("CHAIN_FORM", "chain", `must be a leaf and its intermediate, got ${pems.length} certificates`);
  } catch (thrown) {
    return finding("CHAIN_FORM", "chain", `cannot be read: ${messageOf(thrown)}`);
  }
}

function dates({ validFromDate, validToDate }: X509Certificate, path: string, at: Date): Finding[] {
  if (at >= validFromDate && at <= validToDate) return [];
  const range = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
  return [finding("CHAIN_DATES", path, `is valid from ${range}, not at ${at.toISOString()}`)];
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate, path: string): Finding[] {
  const found: Finding[] = [];
  const isAuthority = path !== "leaf";
  if (certificate.ca !== isAuthority) {
    found.push(finding("CHAIN_AUTHORITY", path, isAuthority ? "is no authority" : "is an authority, and must not be"));
  }
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    found.push(finding("CHAIN_SIGNATURE", path, `was not signed by "${oneLine(issuer.subject)}"`));
  }
  return found;
}

function purpose(leaf: X509Certificate, request: ChainRequest): Finding[] {
  const found: Finding[] = [];
  // For node:crypto, `keyUsage` is the extended key usage.
  if (!leaf.keyUsage?.includes(USAGES[request.purpose])) {
    found.push(finding("CHAIN_PURPOSE", "leaf", `is not for a TLS ${request.purpose}`));
  }
  if (request.host !== undefined && !carries(leaf, request.host)) {
    found.push(finding("CHAIN_HOST", "leaf", `does not carry the name "${request.host}"`));
  }
  return found;
}

function carries(leaf: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? leaf.checkHost(host, { subject: "never" }) : leaf.checkIP(host)) !== undefined;
}

function names(leaf: X509Certificate, intermediate: X509Certificate, root: X509Certificate): Finding[] {
  const [tenant] = attributes(root, "O");
  const [issuer] = attributes(intermediate, "CN");
  const leafClass = LEAF_CLASSES.find((each) => issuer === `TrustKern ${each}`);
  if (tenant === undefined || leafClass === undefined) {
    return [finding("CHAIN_NAMES", "intermediate", `"${issuer}" is not an issuing authority of ours`)];
  }
  const wrong = [
    ...expectOnly(leaf, "O", (value) => value === tenant),
    ...expectOnly(leaf, "OU", (value) => value === leafClass),
    ...expectOnly(leaf, "CN", (value) => value.startsWith(NAME_PREFIX[leafClass])),
    ...alternativeNames(leaf).filter((name) => !mayCarry(name, leafClass, tenant)),
  ];
  return wrong.map((name) => finding("CHAIN_NAMES", "leaf", `carries "${name}", which "${issuer}" may not issue`));
}

/** The values of an attribute that are wrong; none or more than one is wrong too. */
function expectOnly(certificate: X509Certificate, attribute: string, accepts: (value: string) => boolean): string[] {
  const values = attributes(certificate, attribute);
  return values.length === 1 && values.every(accepts) ? [] : [`${attribute}=${values.join("+")}`];
}

function mayCarry(name: string, leafClass: LeafClass, tenant: string): boolean {
  if (name.startsWith("IP Address:")) return leafClass === "services";
  const dns = name.startsWith("DNS:") ? name.slice(4) : "";
  const inside = (each: LeafClass) => dns.endsWith(`.${classDomain(each, tenant)}`);
  const foreign = LEAF_CLASSES.some((each) => each !== "services" && each !== leafClass && inside(each));
  return isDottedDnsName(dns) && inside(leafClass) && !foreign;
}

function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  return subjectAltName === undefined ? [] : subjectAltName.split(", ");
}

/** Node prints a subject as one `KEY=value` on each line. */
function attributes({ subject }: X509Certificate, name: string): string[] {
  const lines = subject.split("\n").map((line) => line.split("="));
  return lines.flatMap(([key, ...value]) => (key === name ? [value.join("=")] : []));
}

function oneLine(subject: string): string {
  return subject.replaceAll("\n", ", ");
}

function finding(code: string, path: string, message: string): Finding {
  return { code, path, message: `${path} ${message}`, fix: "issue the certificate again with its own authority" };
}
