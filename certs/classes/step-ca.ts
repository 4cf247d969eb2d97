import { type Authority, assertIssues } from "../authority.ts";
import { type Issued, issue } from "../issue.ts";
import { stepCaNameConstraints } from "../name-constraints.ts";
import { tenantDomain } from "../names.ts";
import { authoritySubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { x509 } from "../x509.ts";

/** What step-ca's authority is made from. */
export interface StepCaRequest {
  readonly now: Date;
  /** Seconds, 1 hour to 10 years. @default 5 years */
  readonly lifetimeSeconds?: number | undefined;
}

/**
 * Has the root sign the authority that step-ca issues with while it runs: path length 0, names constrained to gateways and to
 * step-ca's own server, so that a stolen key makes no service and no operator.
 * @throws CERT_ISSUER_WRONG, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueStepCaAuthority(root: Authority, { now, lifetimeSeconds }: StepCaRequest): Promise<Issued> {
  assertIssues(root, "root");
  const { tenant } = root;
  const issuerNotAfter = root.certificate.notAfter;
  return issue(
    {
      tenant,
      now,
      name: "TrustKern step-ca",
      subject: authoritySubject(tenant, "step-ca"),
      validity: planValidity({ lifetimeClass: "intermediate", now, lifetimeSeconds, issuerNotAfter }),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        stepCaNameConstraints(`step-ca.${tenantDomain(tenant)}`, tenant),
      ],
    },
    root,
  );
}
