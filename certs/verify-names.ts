import type { X509Certificate } from "node:crypto";
import { type CertificateClass, commonName, valuesOf } from "./certificate-class.ts";
import { isServiceDnsName, namespaceDomain } from "./cluster-names.ts";
import type { DenialReason } from "./denial.ts";
import { permittedNamespace } from "./name-constraints.ts";
import {
  classDomain,
  DEVICE_UNIT,
  isDottedDnsName,
  issuingServerName,
  LEAF_CLASSES,
  type LeafClass,
  NAME_PREFIX,
  tenantDomain,
} from "./names.ts";
import { MAKER_NAME } from "./subject.ts";
import { x509 } from "./x509.ts";

/** Where a leaf stands. */
export interface Standing {
  readonly leafClass: LeafClass | typeof DEVICE_UNIT;
  readonly issuer: X509Certificate;
  readonly root: X509Certificate;
}

/** A name that a leaf must not carry, and why. */
export interface WrongName {
  readonly name: string;
  readonly reason: DenialReason;
  /** What the authority may issue instead. @default not said */
  readonly accepted?: string;
}

/** The names of a leaf that its authority may not issue, those of the tenant, the class or the maker included. */
export function wrongNames(leaf: X509Certificate, { leafClass, issuer, root }: Standing): readonly WrongName[] {
  const [tenant = ""] = valuesOf(root.subject, "O");
  const maker = commonName(issuer.subject).slice(MAKER_NAME.length);
  const units = leafClass === DEVICE_UNIT ? [DEVICE_UNIT, maker] : [leafClass];
  const namespace = leafClass === "services" ? permittedNamespace(new x509.X509Certificate(issuer.raw)) : undefined;
  const accepted = acceptedNames(leafClass, tenant, namespace);
  const unitReason = leafClass === DEVICE_UNIT ? "foreign-maker" : "wrong-class";
  return [
    ...expect(issuer, "O", [tenant], "foreign-tenant"),
    ...expect(leaf, "O", [tenant], "foreign-tenant"),
    ...expect(leaf, "OU", units, unitReason),
    ...commonNames(leaf, leafClass),
    ...alternativeNames(leaf)
      .filter((name) => !mayCarry(name, leafClass, tenant) && !isOfCluster(name, namespace))
      .map((name): WrongName => ({ name, reason: "name-not-allowed", accepted })),
  ];
}

function expect(of: X509Certificate, attribute: string, wanted: readonly string[], reason: DenialReason): WrongName[] {
  const values = valuesOf(of.subject, attribute);
  const right = values.length === wanted.length && values.every((value, index) => value === wanted[index]);
  return right ? [] : [{ name: `${attribute}=${values.join("+")}`, reason }];
}

function commonNames(leaf: X509Certificate, leafClass: Standing["leafClass"]): WrongName[] {
  const values = valuesOf(leaf.subject, "CN");
  const foreign = Object.entries(NAME_PREFIX).some(
    ([each, prefix]) => each !== leafClass && values.some((value) => value.startsWith(prefix)),
  );
  const own = leafClass === DEVICE_UNIT ? "" : NAME_PREFIX[leafClass];
  if (values.length === 1 && !foreign && values[0]?.startsWith(own)) return [];
  return [{ name: `CN=${values.join("+")}`, reason: foreign ? "wrong-class" : "name-not-allowed" }];
}

function mayCarry(name: string, leafClass: CertificateClass, tenant: string): boolean {
  if (name.startsWith("IP Address:")) return leafClass === "services";
  const own = LEAF_CLASSES.find((each) => each === leafClass);
  const dns = name.startsWith("DNS:") ? name.slice(4) : "";
  const inside = (each: LeafClass): boolean => dns.endsWith(`.${classDomain(each, tenant)}`);
  const foreign = LEAF_CLASSES.some(
    (each) => each !== "services" && each !== own && (inside(each) || dns === issuingServerName(each, tenant)),
  );
  const ofDevices = dns.endsWith(`.${DEVICE_UNIT}.${tenantDomain(tenant)}`);
  return isDottedDnsName(dns) && own !== undefined && inside(own) && !foreign && !ofDevices;
}

function isOfCluster(name: string, namespace: string | undefined): boolean {
  return namespace !== undefined && name.startsWith("DNS:") && isServiceDnsName(name.slice(4), namespace);
}

function acceptedNames(leafClass: CertificateClass, tenant: string, namespace: string | undefined): string {
  const own = LEAF_CLASSES.find((each) => each === leafClass);
  if (own === undefined) return "none";
  const cluster = namespace === undefined ? "" : ` and one label before .${namespaceDomain(namespace)}`;
  return `DNS names in .${classDomain(own, tenant)}${own === "services" ? " but its classes'" : ""}${cluster}`;
}

function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  return subjectAltName === undefined ? [] : subjectAltName.split(", ");
}
