import { type Authority, joinAuthority, loadAuthority, type StoredAuthority } from "../authority.ts";
import { type CertificateTemplate, certify, type Issued, issue } from "../issue.ts";
import { type LoadedKey, P384 } from "../keys.ts";
import { assertTenant } from "../names.ts";
import { authoritySubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { x509 } from "../x509.ts";

/** What a root is made from. */
export interface RootRequest {
  readonly tenant: string;
  readonly now: Date;
  /** Seconds, 1 day to 20 years. @default 20 years */
  readonly lifetimeSeconds?: number | undefined;
}

/** A new authority, and the event of its issuance. */
export interface IssuedAuthority<A extends Authority = StoredAuthority> {
  readonly authority: A;
  readonly event: Issued["event"];
}

/**
 * Makes the offline root of a tenant with a new key on P-384: the trust anchor, which signs intermediates only (path length 1).
 * @throws CERT_NAME_INVALID, CERT_LIFETIME_RANGE
 */
export async function issueRoot(request: RootRequest): Promise<IssuedAuthority> {
  const issued = await issue(template(request), undefined, P384);
  return { authority: await loadAuthority(issued, "root"), event: issued.event };
}

/**
 * Makes the offline root of a tenant with a key that a token, a TPM or a file already holds.
 * @throws CERT_NAME_INVALID, CERT_LIFETIME_RANGE
 */
export async function certifyRoot(key: LoadedKey, request: RootRequest): Promise<IssuedAuthority<Authority>> {
  const { certPem, event } = await certify(template(request), key.publicKeySpki, key);
  return { authority: joinAuthority(certPem, key, "root"), event };
}

function template({ tenant, now, lifetimeSeconds }: RootRequest): CertificateTemplate {
  assertTenant(tenant);
  return {
    tenant,
    now,
    name: "TrustKern root",
    subject: authoritySubject(tenant, "root"),
    validity: planValidity({ lifetimeClass: "root", now, lifetimeSeconds }),
    extensions: authorityExtensions(1),
  };
}

/** What every authority has: its path length, and that it signs certificates and CRLs (RFC 5280, sections 4.2.1.9 and 4.2.1.3). */
export function authorityExtensions(pathLength: number): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}
