import type { Authority } from "../authority.ts";
import { assertCsrFor, parseCsr } from "../csr.ts";
import type { Certified, Issued } from "../issue.ts";
import { certifyLeaf, issueLeaf, type LeafProfile, type LeafRequest } from "../leaf.ts";
import { classDomain } from "../names.ts";
import { x509 } from "../x509.ts";

/**
 * Issues the certificate of a gateway (`gw-…`): a client, never a server.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueGatewayLeaf(issuer: Authority, request: LeafRequest): Promise<Issued> {
  return issueLeaf(issuer, request, profile(issuer, request));
}

/**
 * Issues the certificate of a gateway whose key stays with it. The request says which key and nothing more: every name in it
 * must be the gateway's own.
 * @throws DENIED_… what `parseCsr` and `assertCsrFor` refuse
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueFromCsr(issuer: Authority, csrPem: string, request: LeafRequest): Promise<Certified> {
  const csr = await parseCsr(csrPem);
  assertCsrFor(csr, { leafClass: "gateways", tenant: issuer.tenant, name: request.name });
  return certifyLeaf(issuer, csr.publicKeySpki, request, profile(issuer, request));
}

function profile({ tenant }: Authority, { name }: LeafRequest): LeafProfile {
  return {
    leafClass: "gateways",
    dnsNames: [`${name}.${classDomain("gateways", tenant)}`],
    ipAddresses: [],
    usages: [x509.ExtendedKeyUsage.clientAuth],
  };
}
