import type { Authority } from "../authority.ts";
import { isServiceDnsName, namespaceDomain, serviceDnsName } from "../cluster-names.ts";
import { certsErrors } from "../errors.ts";
import type { Issued } from "../issue.ts";
import { issueLeaf, type LeafRequest } from "../leaf.ts";
import { permittedNamespace } from "../name-constraints.ts";
import { classDomain, NAME_PREFIX, tenantDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/** A service is both a server and a client of other services. */
export interface ServiceRequest extends LeafRequest {
  /**
   * Dotted DNS names under the tenant's domain, and names of Services in the namespace that the authority may name.
   * @default `<component>.<tenant>.trustkern.internal`, and with such an authority `<component>.<namespace>.svc`
   */
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
  const namespace = permittedNamespace(issuer.certificate);
  const component = request.name.slice(NAME_PREFIX.services.length);
  const dnsNames = request.dnsNames ?? [
    `${component}.${tenantDomain(issuer.tenant)}`,
    ...(namespace === undefined ? [] : [serviceDnsName(component, namespace)]),
  ];
  for (const name of dnsNames) assertServiceName(name, issuer.tenant, namespace);
  return issueLeaf(issuer, request, {
    leafClass: "services",
    dnsNames,
    ipAddresses: request.ipAddresses ?? [],
    usages: [x509.ExtendedKeyUsage.serverAuth, ...(request.serverOnly ? [] : [x509.ExtendedKeyUsage.clientAuth])],
  });
}

/** The name constraints of the authority say the same to whoever verifies; said here, it is found before it is signed. */
function assertServiceName(name: string, tenant: string, namespace: string | undefined): void {
  if (namespace !== undefined && isServiceDnsName(name, namespace)) return;
  const foreign = (["gateways", "operators"] as const).map((other) => classDomain(other, tenant));
  const inside = name.endsWith(`.${tenantDomain(tenant)}`);
  const cluster = namespace === undefined ? "" : `; or be one label before .${namespaceDomain(namespace)}`;
  if (!inside || foreign.some((domain) => name === domain || name.endsWith(`.${domain}`))) {
    throw certsErrors.error(
      "CERT_NAME_INVALID",
      `"${name}" is not a service's name: it must end in .${tenantDomain(tenant)}, and not in ${foreign.join(" or ")}${cluster}`,
      { path: "dnsNames" },
    );
  }
}
