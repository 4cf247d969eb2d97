import type { LeafClass } from "./names.ts";
import { x509 } from "./x509.ts";

/** `O=acme, OU=gateways`: the subtree of the directory that belongs to one class of a tenant. */
export function classSubject(leafClass: LeafClass, tenant: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { OU: [leafClass] }]);
}

/** `O=acme, OU=gateways, CN=gw-01`. */
export function leafSubject(leafClass: LeafClass, tenant: string, commonName: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { OU: [leafClass] }, { CN: [commonName] }]);
}

/** `O=acme, CN=TrustKern root`: an authority is in no class's subtree. */
export function authoritySubject(tenant: string, what: "root" | "step-ca" | LeafClass): x509.Name {
  return new x509.Name([{ O: [tenant] }, { CN: [`TrustKern ${what}`] }]);
}

/**
 * `CN=step-ca.acme.trustkern.internal`: what step-ca calls its own server, whose subject has nothing but this. It is in no
 * class, so that nobody who reads a peer's class takes it for one of ours.
 */
export function stepCaServerSubject(serverName: string): x509.Name {
  return new x509.Name([{ CN: [serverName] }]);
}
