import { isIP } from "node:net";
import { certsErrors } from "./errors.ts";

/** The last labels of every internal name. */
const ZONE = "trustkern.internal";

/** The classes of leaf certificates: who has one decides what it may do. Each has an issuing authority of its own. */
export const LEAF_CLASSES = ["services", "gateways", "operators"] as const;

/** One of {@link LEAF_CLASSES}. */
export type LeafClass = (typeof LEAF_CLASSES)[number];

/** Prefix of the common name of each class of leaf. */
export const NAME_PREFIX = { services: "svc-", gateways: "gw-", operators: "op-" } as const satisfies Record<
  LeafClass,
  string
>;

/** The organisational unit of made devices; below it stands the maker's. */
export const DEVICE_UNIT = "devices";

/** The classes whose authority a step-ca serves: its component, and with it the server's name, is `<class>-ca`. */
export type OnlineClass = Exclude<LeafClass, "services">;

/** One lower-case DNS label (RFC 1123). */
export const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const REST_OF_NAME = /^[a-z0-9-]{1,60}$/;
const MODEL = /^[A-Za-z0-9.-]+(?: [A-Za-z0-9.-]+)*$/;
const HARDWARE_ID = /^(?:[0-9a-f]{2}){1,32}$/;

/** `acme.trustkern.internal`: the domain that holds all names of a tenant. */
export function tenantDomain(tenant: string): string {
  return `${tenant}.${ZONE}`;
}

/** `gateways.acme.trustkern.internal`: the domain of one class; the names of services stand directly under the tenant's. */
export function classDomain(leafClass: LeafClass, tenant: string): string {
  return leafClass === "services" ? tenantDomain(tenant) : `${leafClass}.${tenantDomain(tenant)}`;
}

/** `acme-instruments.devices.acme.trustkern.internal`: the domain that stands for one maker; no device has a name in it. */
export function makerDomain(maker: string, tenant: string): string {
  return `${maker}.${DEVICE_UNIT}.${tenantDomain(tenant)}`;
}

/** `gateways-ca.acme.trustkern.internal`: the server that issues the leaves of one class while it runs. */
export function issuingServerName(leafClass: OnlineClass, tenant: string): string {
  return `${leafClass}-ca.${tenantDomain(tenant)}`;
}

/**
 * Refuses a tenant name that is not one lower-case DNS label (RFC 1123).
 * @throws CERT_NAME_INVALID
 */
export function assertTenant(tenant: string): void {
  if (!LABEL.test(tenant)) {
    throw certsErrors.error(
      "CERT_NAME_INVALID",
      `tenant "${tenant}" is not 1 to 63 of a-z 0-9 - without one at either end`,
      {
        path: "tenant",
      },
    );
  }
}

/**
 * Refuses a maker's name that is not one lower-case DNS label.
 * @throws CERT_NAME_INVALID
 */
export function assertMaker(maker: string): void {
  if (!LABEL.test(maker)) {
    const message = `maker "${maker}" is not 1 to 63 of a-z 0-9 - without one at either end`;
    throw certsErrors.error("CERT_NAME_INVALID", message, { path: "maker" });
  }
}

/**
 * Refuses a model that is not 1 to 64 of `A-Z a-z 0-9 . -` and single spaces between, or that starts like the name of
 * another class, and a hardware id that is not 1 to 32 bytes in lower-case hex.
 * @throws CERT_NAME_INVALID
 */
export function assertDevice(model: string, hardwareId: string): void {
  const foreign = Object.values(NAME_PREFIX).some((prefix) => model.toLowerCase().startsWith(prefix));
  if (model.length > 64 || foreign || !MODEL.test(model)) {
    const message = `model "${model}" is not 1 to 64 of A-Z a-z 0-9 . - and single spaces, or starts with svc-, gw- or op-`;
    throw certsErrors.error("CERT_NAME_INVALID", message, { path: "model" });
  }
  if (!HARDWARE_ID.test(hardwareId)) {
    const message = `hardware id "${hardwareId}" is not 1 to 32 bytes in lower-case hex`;
    throw certsErrors.error("CERT_NAME_INVALID", message, { path: "hardwareId" });
  }
}

/**
 * Refuses a common name that is not the prefix of its class and then 1 to 60 of `a-z 0-9 -`.
 * @throws CERT_NAME_INVALID
 */
export function assertCommonName(leafClass: LeafClass, commonName: string): void {
  const prefix = NAME_PREFIX[leafClass];
  if (!commonName.startsWith(prefix) || !REST_OF_NAME.test(commonName.slice(prefix.length))) {
    throw certsErrors.error(
      "CERT_NAME_INVALID",
      `common name "${commonName}" is not "${prefix}" and then 1 to 60 of a-z 0-9 -`,
      { path: `${leafClass}.name` },
    );
  }
}

/** True for a lower-case DNS name of at least two labels, without wildcard or final dot (RFC 5280, section 4.2.1.6). */
export function isDottedDnsName(name: string): boolean {
  const labels = name.split(".");
  // The last label of a DNS name is never all digits; "10.1" is a broken address, not a name.
  return (
    name.length <= 253 &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}

/**
 * Refuses any alternative name but dotted DNS names and IP addresses.
 * @throws CERT_NAME_INVALID
 */
export function assertAlternativeNames(dnsNames: readonly string[], ipAddresses: readonly string[]): void {
  for (const name of dnsNames) {
    if (!isDottedDnsName(name)) {
      throw certsErrors.error("CERT_NAME_INVALID", `"${name}" is not a dotted DNS name such as broker.acme.${ZONE}`, {
        path: "dnsNames",
      });
    }
  }
  for (const address of ipAddresses) {
    if (isIP(address) === 0 || address.includes("%")) {
      throw certsErrors.error("CERT_NAME_INVALID", `"${address}" is not an IPv4 or IPv6 address`, {
        path: "ipAddresses",
      });
    }
  }
}
