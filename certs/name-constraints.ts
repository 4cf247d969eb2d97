import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Name as AsnName,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import { assertNamespace, namespaceDomain, namespaceIn } from "./cluster-names.ts";
import {
  classDomain,
  DEVICE_UNIT,
  issuingServerName,
  LEAF_CLASSES,
  type LeafClass,
  makerDomain,
  type OnlineClass,
  tenantDomain,
} from "./names.ts";
import { classSubject, devicesSubject, issuingServerSubject } from "./subject.ts";
import { x509 } from "./x509.ts";

const EVERY_IPV4 = "0.0.0.0/0";
const EVERY_IPV6 = "::/0";
const LOOPBACK = "127.0.0.1/32";

/**
 * What one issuing authority may name (RFC 5280, section 4.2.1.10). Three things keep the classes apart:
 * the subject's organisational unit is that of the class, DNS names are the class's own, and only services have IP addresses.
 * The common name cannot be constrained, so whoever reads it also reads the unit (`peer-name.ts`). The authorities of gateways
 * and operators may name the server of the step-ca that holds their key as well, by its name and at 127.0.0.1.
 *
 * The authority of services of a deployment in a cluster may name the Services of its namespace as well, `<component>.<namespace>.svc`:
 * some clients verify the name that they connect to, and cannot be told another. Without a namespace, and of the other classes with
 * one too, the constraints are what they are without a cluster.
 *
 * Not critical: Go's verifier knows no constraint on directory names and refuses a critical one that has some, and Prometheus,
 * Loki, step-ca and Grafana are written in Go. They hold us to the DNS names and addresses; OpenSSL and Node to all of it.
 * @throws CERT_NAME_INVALID for a namespace that is the cluster's own, or none
 */
export function nameConstraints(leafClass: LeafClass, tenant: string, namespace?: string): x509.Extension {
  const own = [directory(classSubject(leafClass, tenant)), dns(classDomain(leafClass, tenant))];
  if (leafClass !== "services") return extension([...own, ...issuingServer(leafClass, tenant)], []);
  const foreign = LEAF_CLASSES.filter((other) => other !== "services");
  if (namespace !== undefined) assertNamespace(namespace);
  const cluster = namespace === undefined ? [] : [dns(namespaceDomain(namespace))];
  return extension(
    [...own, ...cluster],
    [
      ...foreign.flatMap((other) => [dns(classDomain(other, tenant)), dns(issuingServerName(other, tenant))]),
      dns(`${DEVICE_UNIT}.${tenantDomain(tenant)}`),
    ],
  );
}

/**
 * The namespace of a cluster whose Services an authority may name, or undefined where it may name none. One that may name more DNS
 * names than those of its tenant and of one namespace is none of ours, and counts as one without.
 */
export function permittedNamespace(authority: x509.X509Certificate): string | undefined {
  const found = authority.getExtension(id_ce_nameConstraints);
  if (found === null) return undefined;
  const [tenant = ""] = authority.subjectName.getField("O");
  const { permittedSubtrees = [] } = AsnConvert.parse(found.value, NameConstraints);
  const names = [...permittedSubtrees].flatMap(({ base: { dNSName } }) => dNSName ?? []);
  const [other, ...more] = names.filter((name) => name !== tenantDomain(tenant));
  return other === undefined || more.length > 0 ? undefined : namespaceIn(other);
}

/**
 * What a maker's authority may name: its own devices by their subject. Devices have no DNS name and no address; permitting a
 * domain that nobody uses refuses every other.
 */
export function makerNameConstraints(maker: string, tenant: string): x509.Extension {
  const permitted = [directory(devicesSubject(tenant, maker)), dns(makerDomain(maker, tenant))];
  return extension(permitted, [EVERY_IPV4, EVERY_IPV6].map(ip));
}

function issuingServer(leafClass: OnlineClass, tenant: string): GeneralName[] {
  return server(issuingServerName(leafClass, tenant));
}

function server(name: string): GeneralName[] {
  return [directory(issuingServerSubject(name)), dns(name), ip(LOOPBACK)];
}

function dns(name: string): GeneralName {
  return new GeneralName({ dNSName: name });
}

function ip(range: string): GeneralName {
  return new GeneralName({ iPAddress: range });
}

function directory(name: x509.Name): GeneralName {
  return new GeneralName({ directoryName: AsnConvert.parse(name.toArrayBuffer(), AsnName) });
}

function extension(permitted: readonly GeneralName[], excluded: readonly GeneralName[]): x509.Extension {
  const value = new NameConstraints({
    permittedSubtrees: subtrees(permitted),
    ...(excluded.length > 0 ? { excludedSubtrees: subtrees(excluded) } : {}),
  });
  return new x509.Extension(id_ce_nameConstraints, false, AsnConvert.serialize(value));
}

function subtrees(names: readonly GeneralName[]): GeneralSubtrees {
  return new GeneralSubtrees(names.map((base) => new GeneralSubtree({ base })));
}
