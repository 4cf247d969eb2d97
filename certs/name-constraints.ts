import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Name as AsnName,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import { classDomain, LEAF_CLASSES, type LeafClass } from "./names.ts";
import { classSubject, stepCaServerSubject } from "./subject.ts";
import { x509 } from "./x509.ts";

const EVERY_IPV4 = "0.0.0.0/0";
const EVERY_IPV6 = "::/0";
const LOOPBACK = "127.0.0.1/32";

/**
 * What one issuing authority may name (RFC 5280, section 4.2.1.10). Three things keep the classes apart:
 * the subject's organisational unit is that of the class, DNS names are the class's own, and only services have IP addresses.
 * The common name cannot be constrained, so whoever reads it also reads the unit (`peer-name.ts`).
 *
 * Critical, but for services: Go's verifier knows no constraint on directory names and refuses a critical one that has some,
 * and Prometheus, Loki, step-ca and Grafana are written in Go. They hold services to the rest; OpenSSL and Node to all of it.
 */
export function nameConstraints(leafClass: LeafClass, tenant: string): x509.Extension {
  const others = leafClass === "services" ? LEAF_CLASSES.filter((other) => other !== "services") : [];
  const excluded = [
    ...others.map((other) => new GeneralName({ dNSName: classDomain(other, tenant) })),
    ...(leafClass === "services" ? [] : [EVERY_IPV4, EVERY_IPV6].map((range) => new GeneralName({ iPAddress: range }))),
  ];
  const permitted = [
    directory(classSubject(leafClass, tenant)),
    new GeneralName({ dNSName: classDomain(leafClass, tenant) }),
  ];
  return extension(permitted, excluded, leafClass !== "services");
}

/**
 * What step-ca may name: gateways, and its own server at its own name and at the loopback address. Not critical, for the same
 * reason as for services: step-ca is written in Go, and refuses to start with what its verifier does not know.
 */
export function stepCaNameConstraints(serverName: string, tenant: string): x509.Extension {
  const permitted = [
    directory(classSubject("gateways", tenant)),
    directory(stepCaServerSubject(serverName)),
    new GeneralName({ dNSName: classDomain("gateways", tenant) }),
    new GeneralName({ dNSName: serverName }),
    new GeneralName({ iPAddress: LOOPBACK }),
  ];
  return extension(permitted, [], false);
}

function directory(name: x509.Name): GeneralName {
  return new GeneralName({ directoryName: AsnConvert.parse(name.toArrayBuffer(), AsnName) });
}

function extension(permitted: readonly GeneralName[], excluded: readonly GeneralName[], critical: boolean) {
  const value = new NameConstraints({
    permittedSubtrees: subtrees(permitted),
    ...(excluded.length > 0 ? { excludedSubtrees: subtrees(excluded) } : {}),
  });
  return new x509.Extension(id_ce_nameConstraints, critical, AsnConvert.serialize(value));
}

function subtrees(names: readonly GeneralName[]): GeneralSubtrees {
  return new GeneralSubtrees(names.map((base) => new GeneralSubtree({ base })));
}
