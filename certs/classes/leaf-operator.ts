import type { Authority } from "../authority.ts";
import type { Issued } from "../issue.ts";
import { issueLeaf, type LeafRequest } from "../leaf.ts";
import { classDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/**
 * Issues the certificate of a person or a script that operates the deployment (`op-…`): a client of the backend, and of nothing else.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueOperatorLeaf(issuer: Authority, request: LeafRequest): Promise<Issued> {
  return issueLeaf(issuer, request, {
    leafClass: "operators",
    dnsNames: [`${request.name}.${classDomain("operators", issuer.tenant)}`],
    ipAddresses: [],
    usages: [x509.ExtendedKeyUsage.clientAuth],
  });
}
