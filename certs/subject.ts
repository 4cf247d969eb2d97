import { DEVICE_UNIT, type LeafClass } from "./names.ts";
import { x509 } from "./x509.ts";

/** Common name of a maker's authority, before the maker. */
export const MAKER_NAME = "TrustKern maker ";

/** X.520, section 6.2.9: what identifies a device; its values are PrintableStrings. */
const SERIAL_NUMBER = "2.5.4.5";

/** `O=acme, OU=gateways`: the subtree of the directory that belongs to one class of a tenant. */
export function classSubject(leafClass: LeafClass, tenant: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { OU: [leafClass] }]);
}

/** `O=acme, OU=gateways, CN=gw-01`. */
export function leafSubject(leafClass: LeafClass, tenant: string, commonName: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { OU: [leafClass] }, { CN: [commonName] }]);
}

/** `O=acme, CN=TrustKern root`: an authority is in no class's subtree. */
export function authoritySubject(tenant: string, what: "root" | LeafClass): x509.Name {
  return new x509.Name([{ O: [tenant] }, { CN: [`TrustKern ${what}`] }]);
}

/** `O=acme, CN=TrustKern maker acme-instruments`. */
export function makerSubject(tenant: string, maker: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { CN: [`${MAKER_NAME}${maker}`] }]);
}

/** `O=acme, OU=devices, OU=acme-instruments`: the subtree of the directory that belongs to one maker. */
export function devicesSubject(tenant: string, maker: string): x509.Name {
  return new x509.Name([{ O: [tenant] }, { OU: [DEVICE_UNIT] }, { OU: [maker] }]);
}

/** `O=acme, OU=devices, OU=acme-instruments, CN=TK 100, serialNumber=0a1b`: a made device by its model and hardware id. */
export function deviceSubject(tenant: string, maker: string, model: string, hardwareId: string): x509.Name {
  return new x509.Name([
    ...[{ O: [tenant] }, { OU: [DEVICE_UNIT] }, { OU: [maker] }, { CN: [model] }],
    { [SERIAL_NUMBER]: [{ printableString: hardwareId }] },
  ]);
}

/**
 * `CN=gateways-ca.acme.trustkern.internal`: what step-ca calls its own server, whose subject has nothing but this. It is in
 * no class, so that nobody who reads a peer's class takes it for one of ours.
 */
export function issuingServerSubject(serverName: string): x509.Name {
  return new x509.Name([{ CN: [serverName] }]);
}
