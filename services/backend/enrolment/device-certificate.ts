import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import { denial } from "../../../certs/denial.ts";
import { hexOf } from "../../../protocol/hex.ts";

/** What a device's certificate says of it: `O, OU=devices, OU=<maker>, CN=<model>, serialNumber=<hardware id>`. */
export interface DeviceCertificate {
  readonly tenant: string;
  readonly maker: string;
  readonly model: string;
  readonly hardwareId: string;
  /** Uncompressed point in lower-case hex. */
  readonly publicKey: string;
}

/**
 * Reads a device's certificate, whose chain the issuer has verified.
 * @throws DENIED_CORRUPT, DENIED_WRONG_CLASS, DENIED_WEAK_KEY
 */
export function parseDeviceCertificate(der: Buffer): DeviceCertificate {
  const certificate = parse(der);
  const subject = certificate.subject.split("\n").map((line) => line.split("="));
  const values = (attribute: string): string[] =>
    subject.flatMap(([name, ...value]) => (name === attribute ? [value.join("=")] : []));
  const [tenant, ...otherTenants] = values("O");
  const [unit, maker, ...otherUnits] = values("OU");
  const [model, ...otherModels] = values("CN");
  const [hardwareId, ...otherIds] = values("serialNumber");
  const more = [...otherTenants, ...otherUnits, ...otherModels, ...otherIds];
  if (unit !== "devices" || !tenant || !maker || !model || !hardwareId || more.length > 0)
    throw denial("wrong-class", "the certificate that vouches is not that of a device");
  if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw denial("weak-key", "the device's key is not on P-256");
  const publicKey = hexOf(certificate.publicKey.export({ format: "raw-public" }));
  return { tenant, maker, model, hardwareId, publicKey };
}

/**
 * The device behind a connection, whose chain TLS has verified up to an anchor: its issuer must be its maker's authority.
 * @throws DENIED_CORRUPT, DENIED_WRONG_CLASS, DENIED_WEAK_KEY, DENIED_FOREIGN_TENANT
 */
export function shownDevice(peer: DetailedPeerCertificate, tenant: string): DeviceCertificate {
  const shown = parseDeviceCertificate(peer.raw);
  if (shown.tenant !== tenant) throw denial("foreign-tenant", `the device is of the tenant "${shown.tenant}"`);
  const { CN, O } = peer.issuerCertificate?.subject ?? {};
  if (CN !== `TrustKern maker ${shown.maker}` || O !== tenant)
    throw denial("wrong-class", `"${CN}" is not the authority of the maker "${shown.maker}"`);
  return shown;
}

function parse(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw denial("corrupt", "the certificate that vouches cannot be read");
  }
}
