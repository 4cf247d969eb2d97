import { type Authority, assertIssues } from "./authority.ts";
import { type CertificateTemplate, type Certified, certify, type Issued, issue } from "./issue.ts";
import { assertAlternativeNames, assertCommonName, type LeafClass } from "./names.ts";
import { stepCaLeafExtensions } from "./step-ca/leaf-extensions.ts";
import { leafSubject } from "./subject.ts";
import { planValidity } from "./validity.ts";
import { x509 } from "./x509.ts";

/** What every leaf is made from. */
export interface LeafRequest {
  /** Common name, with the prefix of the class: `svc-broker`, `gw-01`, `op-admin`. */
  readonly name: string;
  readonly now: Date;
  /** Seconds, within the range of the class. @default the usual lifetime of the class */
  readonly lifetimeSeconds?: number | undefined;
  /** PKCS #8 PEM of a key on P-256 that exists already. It is a secret. @default a new key */
  readonly keyPem?: string | undefined;
}

/** What a class adds. */
export interface LeafProfile {
  readonly leafClass: LeafClass;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly x509.ExtendedKeyUsage[];
}

/**
 * Issues a leaf of any class with a new key; each class has a file of its own that says what is particular about it.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueLeaf(issuer: Authority, request: LeafRequest, profile: LeafProfile): Promise<Issued> {
  const issued = await issue(template(issuer, request, profile), issuer);
  return { ...issued, certPem: issued.certPem + issuer.certPem };
}

/**
 * Issues a leaf for a key that somebody else holds, and whose request was checked (`csr.ts`).
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function certifyLeaf(
  issuer: Authority,
  publicKeySpki: Uint8Array,
  request: LeafRequest,
  profile: LeafProfile,
): Promise<Certified> {
  const { certPem, event } = await certify(template(issuer, request, profile), publicKeySpki, issuer);
  return { certPem: certPem + issuer.certPem, event };
}

/** What every leaf has: that it is no authority, that its key signs, and what for (RFC 5280, sections 4.2.1.9, .3 and .12). */
export function leafExtensions(usages: readonly x509.ExtendedKeyUsage[]): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([...usages]),
  ];
}

function template(issuer: Authority, request: LeafRequest, profile: LeafProfile): CertificateTemplate {
  const { leafClass, dnsNames, ipAddresses } = profile;
  assertIssues(issuer, leafClass);
  assertCommonName(leafClass, request.name);
  assertAlternativeNames(dnsNames, ipAddresses);
  return {
    tenant: issuer.tenant,
    now: request.now,
    name: request.name,
    keyPem: request.keyPem,
    subject: leafSubject(leafClass, issuer.tenant, request.name),
    validity: planValidity({
      lifetimeClass: leafClass,
      now: request.now,
      lifetimeSeconds: request.lifetimeSeconds,
      issuerNotAfter: issuer.certificate.notAfter,
    }),
    extensions: [
      ...leafExtensions(profile.usages),
      new x509.SubjectAlternativeNameExtension([
        ...dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
      ]),
      ...stepCaLeafExtensions(leafClass, issuer.tenant),
    ],
  };
}
