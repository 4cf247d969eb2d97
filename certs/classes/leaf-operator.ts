import type { Authority } from "../authority.ts";
import { assertCsrFor, parseCsr } from "../csr.ts";
import type { Certified, Issued } from "../issue.ts";
import { certifyLeaf, issueLeaf, type LeafProfile, type LeafRequest } from "../leaf.ts";
import { classDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/**
 * Issues the certificate of a person or a script that operates the deployment (`op-…`): a client of the backend, and of nothing else.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueOperatorLeaf(issuer: Authority, request: LeafRequest): Promise<Issued> {
  return issueLeaf(issuer, request, profile(issuer, request));
}

/**
 * Issues the certificate of an operator whose key stays on a token of its own; every name in the request must be the operator's.
 * @throws DENIED_… what `parseCsr` and `assertCsrFor` refuse
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function certifyOperator(issuer: Authority, csrPem: string, request: LeafRequest): Promise<Certified> {
  const csr = await parseCsr(csrPem);
  assertCsrFor(csr, { leafClass: "operators", tenant: issuer.tenant, name: request.name });
  return certifyLeaf(issuer, csr.publicKeySpki, request, profile(issuer, request));
}

function profile({ tenant }: Authority, { name }: LeafRequest): LeafProfile {
  return {
    leafClass: "operators",
    dnsNames: [`${name}.${classDomain("operators", tenant)}`],
    ipAddresses: [],
    usages: [x509.ExtendedKeyUsage.clientAuth],
  };
}
