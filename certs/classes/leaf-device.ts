import { type Authority, assertIssues } from "../authority.ts";
import { parseCsr } from "../csr.ts";
import { denial } from "../denial.ts";
import { certsErrors } from "../errors.ts";
import { type Certified, certify } from "../issue.ts";
import { isLeafKey } from "../keys.ts";
import { leafExtensions } from "../leaf.ts";
import { assertDevice } from "../names.ts";
import { offlineExtension } from "../step-ca/leaf-extensions.ts";
import { deviceSubject } from "../subject.ts";
import { planValidity } from "../validity.ts";
import { x509 } from "../x509.ts";

/** What the identity of a made device is made from. Its key never leaves it, and is never made here. */
export interface DeviceRequest {
  /** Serial number of its root of trust, 1 to 32 bytes in lower-case hex. */
  readonly hardwareId: string;
  /** Must be the maker of the authority. */
  readonly maker: string;
  /** Such as `TK 100`. */
  readonly model: string;
  readonly now: Date;
  /** Seconds, 1 day to 10 years. @default 10 years */
  readonly lifetimeSeconds?: number | undefined;
  /** The public key of its root of trust: a request that this key signed, PEM, or the key itself, DER. */
  readonly key: { readonly csrPem: string } | { readonly publicKeySpki: Uint8Array };
}

/**
 * Issues the identity of a made device (IEEE 802.1AR, section 8): who made it, which model and which unit it is. It enrols with
 * this, and with nothing else: no service of ours takes its subject for a name.
 * @throws CERT_ISSUER_WRONG, CERT_NAME_INVALID, CERT_LIFETIME_RANGE, CERT_OUTLIVES_ISSUER
 * @throws DENIED_CORRUPT (a request alone), DENIED_WEAK_KEY, DENIED_BAD_SELF_SIGNATURE
 */
export async function issueDeviceLeaf(issuer: Authority, request: DeviceRequest): Promise<Certified> {
  assertIssues(issuer, "maker");
  const { maker, model, hardwareId, now, lifetimeSeconds } = request;
  if (issuer.maker !== maker) {
    const message = `"${issuer.name}" of ${issuer.tenant} cannot name a device of "${maker}"`;
    throw certsErrors.error("CERT_ISSUER_WRONG", message, { path: "maker" });
  }
  assertDevice(model, hardwareId);
  const { tenant } = issuer;
  const issuerNotAfter = issuer.certificate.notAfter;
  const { certPem, event } = await certify(
    {
      tenant,
      now,
      name: `${model} ${hardwareId}`,
      subject: deviceSubject(tenant, maker, model, hardwareId),
      validity: planValidity({ lifetimeClass: "devices", now, lifetimeSeconds, issuerNotAfter }),
      extensions: [...leafExtensions([x509.ExtendedKeyUsage.clientAuth]), offlineExtension()],
    },
    await keyOf(request.key),
    issuer,
  );
  return { certPem: certPem + issuer.certPem, event };
}

async function keyOf(key: DeviceRequest["key"]): Promise<Uint8Array> {
  if ("csrPem" in key) return (await parseCsr(key.csrPem)).publicKeySpki;
  const der = Buffer.from(key.publicKeySpki);
  if (!isLeafKey(der)) throw denial("weak-key", "the device's key is not on P-256");
  return der;
}
