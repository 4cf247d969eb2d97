import type { Authority } from "../authority.ts";
import type { Issued } from "../issue.ts";
import { issueLeaf, type LeafRequest } from "../leaf.ts";
import { classDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/**
 * Issues the certificate of a gateway (`gw-…`): a client, never a server.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueGatewayLeaf(issuer: Authority, request: LeafRequest): Promise<Issued> {
  return issueLeaf(issuer, request, {
    leafClass: "gateways",
    dnsNames: [`${request.name}.${classDomain("gateways", issuer.tenant)}`],
    ipAddresses: [],
    usages: [x509.ExtendedKeyUsage.clientAuth],
  });
}
