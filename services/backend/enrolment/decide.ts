import type { DatabaseSync } from "node:sqlite";
import { assertCsrFor, type Csr } from "../../../certs/csr.ts";
import { denial } from "../../../certs/denial.ts";
import { PROVISIONERS } from "../../../certs/step-ca/names.ts";
import { isSupport, type SupportAccess } from "../../../certs/support.ts";
import { type Gateway, gatewayOfDevice } from "../fleet/gateways.ts";
import { findByKey, type MadeDevice } from "../fleet/made-devices.ts";
import { findMaker } from "../fleet/makers.ts";
import { isRevokedGateway } from "../fleet/standing.ts";
import type { Approvals } from "./approvals.ts";
import { pointOfSpki } from "./csr-key.ts";
import { type DeviceCertificate, parseDeviceCertificate } from "./device-certificate.ts";

/** A request that an issuer asks about, read and with a self-signature that holds. */
export interface EnrolmentRequest {
  readonly provisioner: string;
  readonly csr: Csr;
  /** DER of the request. */
  readonly csrDer: Buffer;
  /** DER of the device certificate that vouches, from the makers' provisioner alone. */
  readonly deviceDer: Buffer | undefined;
}

/** Who gets the certificate. */
export interface Admission {
  readonly leafClass: "gateways" | "operators";
  readonly name: string;
  /** Uncompressed point in lower-case hex. */
  readonly publicKey: string;
  /** The made device, where the root of trust vouched. */
  readonly device: MadeDevice | undefined;
}

/** What the rules look at. */
export interface DecisionOptions {
  readonly db: DatabaseSync;
  readonly tenant: string;
  /** Common names of the operators of the deployment. */
  readonly operators: readonly string[];
  /** When the vendor's staff get certificates. */
  readonly support: SupportAccess;
  readonly approvals: Pick<Approvals, "nameOf">;
}

/**
 * Whether a gateway may have a certificate, and for which name. A made device vouches for itself with its root-of-trust key;
 * what the backend asks for itself, it has approved before.
 * @throws DENIED_… with the rule's name as path
 */
export function decideGateway(options: DecisionOptions, request: EnrolmentRequest): Admission {
  const { provisioner, csr, csrDer } = request;
  const publicKey = pointOfSpki(csr.publicKeySpki);
  if (provisioner === PROVISIONERS.makers) return decideDevice(options, request, publicKey);
  if (provisioner !== PROVISIONERS.backend) throw denial("wrong-class", `no gateway is enrolled by "${provisioner}"`);
  const name = options.approvals.nameOf(csrDer);
  if (name === undefined) throw denial("unknown-device", "the backend has asked for no such certificate");
  if (isRevokedGateway(options.db, name)) throw denial("revoked-device", `gateway ${name} is revoked`);
  assertCsrFor(csr, { leafClass: "gateways", tenant: options.tenant, name });
  return { leafClass: "gateways", name, publicKey, device: undefined };
}

/**
 * Whether an operator may have a certificate.
 * @throws DENIED_… with the rule's name as path
 */
export function decideOperator(
  { tenant, operators, support }: DecisionOptions,
  { provisioner, csr }: EnrolmentRequest,
): Admission {
  if (provisioner !== PROVISIONERS.operators)
    throw denial("wrong-class", `no operator is enrolled by "${provisioner}"`);
  const [name = ""] = csr.subject.CN;
  assertCsrFor(csr, { leafClass: "operators", tenant, name });
  if (!operators.includes(name)) throw denial("name-not-allowed", `"${name}" is no operator of this deployment`);
  if (isSupport(name) && support.access !== "operators")
    throw denial("support-off", `"${name}" is a guest, and gets certificates of the deployment's operator alone`);
  return { leafClass: "operators", name, publicKey: pointOfSpki(csr.publicKeySpki), device: undefined };
}

function decideDevice(options: DecisionOptions, request: EnrolmentRequest, publicKey: string): Admission {
  const { device, gateway } = vouchedGateway(options, request);
  if (gateway.enrolledAtMs !== null) throw denial("already-enrolled", `gateway ${gateway.name} is enrolled already`);
  return { leafClass: "gateways", name: gateway.name, publicKey, device };
}

/**
 * The made device that vouches for a request with its own root-of-trust key, and the gateway that it is.
 * @throws DENIED_… with the rule's name as path
 */
export function vouchedGateway(
  { db, tenant }: Pick<DecisionOptions, "db" | "tenant">,
  { csr, deviceDer }: Pick<EnrolmentRequest, "csr" | "deviceDer">,
): { readonly device: MadeDevice; readonly gateway: Gateway } {
  const publicKey = pointOfSpki(csr.publicKeySpki);
  if (deviceDer === undefined) throw denial("wrong-class", "no device certificate vouches for the request");
  const shown = parseDeviceCertificate(deviceDer);
  if (shown.tenant !== tenant) throw denial("foreign-tenant", `the device is of the tenant "${shown.tenant}"`);
  const device = findByKey(db, publicKey);
  if (!device) throw denial("unknown-device", "no record names the key of the request");
  assertSameDevice(device, shown, publicKey);
  if (device.state === "revoked" || findMaker(db, device.maker)?.state === "revoked")
    throw denial("revoked-device", `device ${device.hardwareId} is revoked`);
  if (device.kind !== "gateway") throw denial("wrong-class", `device ${device.hardwareId} is a ${device.kind}`);
  const gateway = gatewayOfDevice(db, device.hardwareId);
  if (!gateway) throw denial("name-not-allowed", `device ${device.hardwareId} has no name yet`);
  if (gateway.state === "revoked") throw denial("revoked-device", `gateway ${gateway.name} is revoked`);
  assertCsrFor(csr, { leafClass: "gateways", tenant, name: gateway.name });
  return { device, gateway };
}

/** The certificate that vouches has to be that of the very device whose key is certified. */
function assertSameDevice(device: MadeDevice, shown: DeviceCertificate, publicKey: string): void {
  const { hardwareId } = device;
  if (shown.maker !== device.maker)
    throw denial("foreign-maker", `device ${hardwareId} is of the maker "${device.maker}", not "${shown.maker}"`);
  if (shown.publicKey !== publicKey || shown.hardwareId !== hardwareId)
    throw denial("foreign-name", `device ${shown.hardwareId} vouches for the key of device ${hardwareId}`);
  if (shown.model !== device.model)
    throw denial("name-not-allowed", `device ${hardwareId} is a "${device.model}", not a "${shown.model}"`);
}
