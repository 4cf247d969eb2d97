import type { SecurityEvent } from "../shared/security-event.ts";
import type { Authority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueGatewayLeaf } from "./classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "./classes/leaf-operator.ts";
import { issueServiceLeaf, type ServiceRequest } from "./classes/leaf-service.ts";
import { issueRoot } from "./classes/root.ts";
import type { CertifiedKey, Issued } from "./issue.ts";
import type { LeafClass } from "./names.ts";

/** Who needs a certificate. */
export interface LeavesRequest {
  readonly clock: () => Date;
  readonly services: readonly Omit<ServiceRequest, "now">[];
  /** Common names, `gw-…`. */
  readonly gateways: readonly string[];
  /** Common names, `op-…`. */
  readonly operators: readonly string[];
}

/** All of a deployment's certificates. */
export interface DeploymentCertificatesRequest extends LeavesRequest {
  /** One lower-case DNS label. */
  readonly tenant: string;
  /** Namespace of a cluster whose Services the authority of services may name too. @default none */
  readonly namespace?: string | undefined;
}

/** A leaf by its common name; `certPem` is the leaf followed by its intermediate. */
export interface NamedLeaf extends CertifiedKey {
  readonly name: string;
}

/** Leaves and the events of their issuance. */
export interface IssuedLeaves {
  readonly leaves: readonly NamedLeaf[];
  readonly events: readonly SecurityEvent[];
}

/** A whole PKI in memory. Every `keyPem` is a secret: write it with `writeFileAtomic`. */
export interface DeploymentCertificates extends IssuedLeaves {
  /** The trust anchor. Its key belongs offline. */
  readonly root: CertifiedKey;
  readonly intermediates: Readonly<Record<LeafClass, CertifiedKey>>;
}

/**
 * Makes the PKI of a deployment: one root, an issuing authority for each class, and the leaves.
 * @throws CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueDeploymentCertificates(
  request: DeploymentCertificatesRequest,
): Promise<DeploymentCertificates> {
  const now = request.clock();
  const root = await issueRoot({ tenant: request.tenant, now });
  const [services, gateways, operators] = await Promise.all([
    issueIntermediate(root.authority, { leafClass: "services", now, namespace: request.namespace }),
    issueIntermediate(root.authority, { leafClass: "gateways", now }),
    issueIntermediate(root.authority, { leafClass: "operators", now }),
  ]);
  const issuers = { services: services.authority, gateways: gateways.authority, operators: operators.authority };
  const { leaves, events } = await issueLeaves(issuers, request);
  return {
    root: pair(root.authority),
    intermediates: {
      services: pair(issuers.services),
      gateways: pair(issuers.gateways),
      operators: pair(issuers.operators),
    },
    leaves,
    events: [root.event, services.event, gateways.event, operators.event, ...events],
  };
}

/**
 * Issues leaves from authorities that exist already (`loadAuthority`): a renewal, or a gateway that joins.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 */
export async function issueLeaves(
  issuers: Readonly<Record<LeafClass, Authority>>,
  request: LeavesRequest,
): Promise<IssuedLeaves> {
  const now = request.clock();
  const named = async (name: string, issued: Promise<Issued>) => ({ name, ...(await issued) });
  const issued = await Promise.all([
    ...request.services.map((each) => named(each.name, issueServiceLeaf(issuers.services, { ...each, now }))),
    ...request.gateways.map((name) => named(name, issueGatewayLeaf(issuers.gateways, { name, now }))),
    ...request.operators.map((name) => named(name, issueOperatorLeaf(issuers.operators, { name, now }))),
  ]);
  return {
    leaves: issued.map(({ name, certPem, keyPem }) => ({ name, certPem, keyPem })),
    events: issued.map(({ event }) => event),
  };
}

function pair({ certPem, keyPem }: CertifiedKey): CertifiedKey {
  return { certPem, keyPem };
}
