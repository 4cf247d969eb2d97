import { AsnConvert, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from "@peculiar/asn1-schema";
import type { LeafClass } from "../names.ts";
import { x509 } from "../x509.ts";
import { crlUrl } from "./names.ts";

/** step-ca's extension that names the provisioner of a certificate. */
const PROVISIONER_EXTENSION = "1.3.6.1.4.1.37476.9000.64.1";

/** A name that no provisioner of a deployment has. */
const OFFLINE = Buffer.from("offline");

/** X5C, in step-ca's numbering. */
const KIND = 7;

/** The extension's value, as step-ca's `extensionASN1` has it. */
class ProvisionerName {
  readonly kind = KIND;
  readonly provisioner = new OctetString(OFFLINE);
  readonly credential = new OctetString();
}
// The library's decorators as functions: what Node runs has no decorators.
AsnType({ type: AsnTypeTypes.Sequence })(ProvisionerName);
AsnProp({ type: AsnPropTypes.Integer })(ProvisionerName.prototype, "kind");
AsnProp({ type: OctetString })(ProvisionerName.prototype, "provisioner");
AsnProp({ type: OctetString })(ProvisionerName.prototype, "credential");

/**
 * step-ca's own extension with the name of a provisioner that it has not. It would renew, without asking anybody, every
 * certificate that chains to its root and has no such extension: of a gateway, and of a device.
 */
export function offlineExtension(): x509.Extension {
  return new x509.Extension(PROVISIONER_EXTENSION, false, AsnConvert.serialize(new ProvisionerName()));
}

/**
 * What a leaf of an online authority's class has beside its profile when the host issues it: {@link offlineExtension}, and the
 * distribution point of the class's CRL. The one in step-ca's CRL is critical, so that a leaf without it has no CRL.
 *
 * None for services, which no online authority may name.
 */
export function stepCaLeafExtensions(leafClass: LeafClass, tenant: string): readonly x509.Extension[] {
  if (leafClass === "services") return [];
  return [new x509.CRLDistributionPointsExtension([crlUrl(leafClass, tenant)]), offlineExtension()];
}
