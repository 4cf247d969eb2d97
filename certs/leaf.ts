import { type Authority, assertIssues } from "./authority.ts";
import { type Issued, issue } from "./issue.ts";
import { assertAlternativeNames, assertCommonName, type LeafClass } from "./names.ts";
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
}

/** What a class adds. */
export interface LeafProfile {
  readonly leafClass: LeafClass;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly x509.ExtendedKeyUsage[];
}

/**
 * Issues a leaf of any class; each class has a file of its own that says what is particular about it.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueLeaf(issuer: Authority, request: LeafRequest, profile: LeafProfile): Promise<Issued> {
  const { leafClass, dnsNames, ipAddresses } = profile;
  assertIssues(issuer, leafClass);
  assertCommonName(leafClass, request.name);
  assertAlternativeNames(dnsNames, ipAddresses);
  const issued = await issue(
    {
      tenant: issuer.tenant,
      now: request.now,
      name: request.name,
      subject: leafSubject(leafClass, issuer.tenant, request.name),
      validity: planValidity({
        lifetimeClass: leafClass,
        now: request.now,
        lifetimeSeconds: request.lifetimeSeconds,
        issuerNotAfter: issuer.certificate.notAfter,
      }),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([...profile.usages]),
        new x509.SubjectAlternativeNameExtension([
          ...dnsNames.map((value) => ({ type: "dns" as const, value })),
          ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
        ]),
      ],
    },
    issuer,
  );
  return { ...issued, certPem: issued.certPem + issuer.certPem };
}
