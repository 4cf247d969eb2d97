import { type Authority, assertIssues, loadAuthority } from "../authority.ts";
import { issue } from "../issue.ts";
import { nameConstraints } from "../name-constraints.ts";
import type { LeafClass } from "../names.ts";
import { authoritySubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { x509 } from "../x509.ts";
import type { IssuedAuthority } from "./root.ts";

/** What an issuing authority is made from. */
export interface IntermediateRequest {
  /** The class of leaves that it will issue, and no other. */
  readonly leafClass: LeafClass;
  readonly now: Date;
  /** Seconds, 1 hour to 10 years. @default 5 years */
  readonly lifetimeSeconds?: number | undefined;
}

/**
 * Has the root sign the issuing authority of one class of leaves: path length 0, names constrained to the class.
 * @throws CERT_ISSUER_WRONG, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueIntermediate(
  root: Authority,
  { leafClass, now, lifetimeSeconds }: IntermediateRequest,
): Promise<IssuedAuthority> {
  assertIssues(root, "root");
  const { tenant } = root;
  const issuerNotAfter = root.certificate.notAfter;
  const issued = await issue(
    {
      tenant,
      now,
      name: `TrustKern ${leafClass}`,
      subject: authoritySubject(tenant, leafClass),
      validity: planValidity({ lifetimeClass: "intermediate", now, lifetimeSeconds, issuerNotAfter }),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        nameConstraints(leafClass, tenant),
      ],
    },
    root,
  );
  return { authority: await loadAuthority(issued, leafClass), event: issued.event };
}
