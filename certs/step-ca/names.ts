import { issuingServerName, type OnlineClass } from "../names.ts";

export type { OnlineClass };

/** The classes of leaves that an online authority issues. */
export const ONLINE_CLASSES = ["gateways", "operators"] as const satisfies readonly OnlineClass[];

/** Who may vouch to an online authority: a device's certificate, the backend's key, or the operators' key. */
export const PROVISIONERS = { makers: "makers", backend: "backend", operators: "operators" } as const;

/** Ports that the online authorities usually listen on, which are those in the addresses of their CRLs. */
export const STEP_CA_PORTS = { gateways: 9000, operators: 9001 } as const satisfies Record<OnlineClass, number>;

/** `gateways-ca`: the component that issues a class while the deployment runs. */
export function stepCaComponent(leafClass: OnlineClass): `${OnlineClass}-ca` {
  return `${leafClass}-ca`;
}

/**
 * Where the CRL of a class stands, as it is in the CRL's issuing distribution point and in every leaf of the class (RFC 5280,
 * sections 4.2.1.13 and 5.2.5). The two must be the same bytes, so the port is the usual one, whatever the deployment's is.
 */
export function crlUrl(leafClass: OnlineClass, tenant: string): string {
  return `https://${issuingServerName(leafClass, tenant)}:${STEP_CA_PORTS[leafClass]}/1.0/crl`;
}
