import { type Authority, loadAuthority } from "../authority.ts";
import { type Issued, issue } from "../issue.ts";
import { assertTenant } from "../names.ts";
import { authoritySubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { x509 } from "../x509.ts";

/** What a root is made from. */
export interface RootRequest {
  readonly tenant: string;
  readonly now: Date;
  /** Seconds, 1 day to 20 years. @default 10 years */
  readonly lifetimeSeconds?: number | undefined;
}

/** A new authority, and the event of its issuance. */
export interface IssuedAuthority {
  readonly authority: Authority;
  readonly event: Issued["event"];
}

/**
 * Makes the offline root of a tenant: the trust anchor, which signs intermediates only (path length 1).
 * @throws CERT_NAME_INVALID, CERT_LIFETIME_RANGE
 */
export async function issueRoot({ tenant, now, lifetimeSeconds }: RootRequest): Promise<IssuedAuthority> {
  assertTenant(tenant);
  const issued = await issue({
    tenant,
    now,
    name: "TrustKern root",
    subject: authoritySubject(tenant, "root"),
    validity: planValidity({ lifetimeClass: "root", now, lifetimeSeconds }),
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { authority: await loadAuthority(issued, "root"), event: issued.event };
}
