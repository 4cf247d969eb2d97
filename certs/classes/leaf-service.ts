import type { Authority } from "../authority.ts";
import { certsErrors } from "../errors.ts";
import type { Issued } from "../issue.ts";
import { issueLeaf, type LeafRequest } from "../leaf.ts";
import { classDomain, NAME_PREFIX, tenantDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/** A service is both a server and a client of other services. */
export interface ServiceRequest extends LeafRequest {
  /** Dotted DNS names under the tenant's domain. @default `<component>.<tenant>.trustkern.internal` */
  readonly dnsNames?: readonly string[] | undefined;
  /** IPv4 or IPv6 addresses at which clients reach it. @default none */
  readonly ipAddresses?: readonly string[] | undefined;
  /** Whether it is a server alone, and opens nothing as a client. @default false */
  readonly serverOnly?: boolean | undefined;
}

/**
 * Issues the certificate of one of our services (`svc-…`).
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueServiceLeaf(issuer: Authority, request: ServiceRequest): Promise<Issued> {
  const domain = tenantDomain(issuer.tenant);
  const dnsNames = request.dnsNames ?? [`${request.name.slice(NAME_PREFIX.services.length)}.${domain}`];
  for (const name of dnsNames) assertServiceName(name, issuer.tenant);
  return issueLeaf(issuer, request, {
    leafClass: "services",
    dnsNames,
    ipAddresses: request.ipAddresses ?? [],
    usages: [x509.ExtendedKeyUsage.serverAuth, ...(request.serverOnly ? [] : [x509.ExtendedKeyUsage.clientAuth])],
  });
}

/** The name constraints of the authority say the same to whoever verifies; said here, it is found before it is signed. */
function assertServiceName(name: string, tenant: string): void {
  const foreign = (["gateways", "operators"] as const).map((other) => classDomain(other, tenant));
  const inside = name.endsWith(`.${tenantDomain(tenant)}`);
  if (!inside || foreign.some((domain) => name === domain || name.endsWith(`.${domain}`))) {
    throw certsErrors.error(
      "CERT_NAME_INVALID",
      `"${name}" is not a service's name: it must end in .${tenantDomain(tenant)}, and not in ${foreign.join(" or ")}`,
      { path: "dnsNames" },
    );
  }
}
