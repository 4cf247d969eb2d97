import { denial } from "./denial.ts";
import { isLeafKey } from "./keys.ts";
import { assertCommonName, classDomain, type LeafClass, NAME_PREFIX } from "./names.ts";
import { x509 } from "./x509.ts";

/** A request is one key, one signature and a name: more is no request of ours. */
const MAX_BYTES = 16_384;

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** A certification request (PKCS #10, RFC 2986) whose self-signature was verified. */
export interface Csr {
  /** DER of the key, on P-256. */
  readonly publicKeySpki: Buffer<ArrayBuffer>;
  /** Every value of each attribute of the subject that is read; mostly one or none. */
  readonly subject: { readonly O: readonly string[]; readonly OU: readonly string[]; readonly CN: readonly string[] };
  /** Requested alternative names, each as its kind and value, such as `dns:gw-01.gateways.acme.trustkern.internal`. */
  readonly names: readonly string[];
  /** Whether it asks to be an authority, or for a use beside TLS client authentication. */
  readonly asksForMore: boolean;
}

/** Whose request it has to be. */
export interface CsrOwner {
  readonly leafClass: LeafClass;
  readonly tenant: string;
  /** Common name. */
  readonly name: string;
}

/**
 * Reads a request, PEM or DER, and verifies that it was signed by the key that it names.
 * @throws DENIED_CORRUPT, DENIED_WEAK_KEY (any key but P-256, any hash under SHA-256), DENIED_BAD_SELF_SIGNATURE
 */
export async function parseCsr(source: string | Uint8Array<ArrayBuffer>): Promise<Csr> {
  const request = decode(source);
  const publicKeySpki = Buffer.from(request.publicKey.rawData);
  if (!isLeafKey(publicKeySpki)) throw denial("weak-key", "the request's key is not on P-256");
  if (!["SHA-256", "SHA-384", "SHA-512"].includes(readHash(request))) {
    throw denial("weak-key", "the request is not signed by ECDSA with SHA-256 or longer");
  }
  if (!(await request.verify().catch(() => false))) {
    throw denial("bad-self-signature", "the request was not signed by the key that it names");
  }
  return { publicKeySpki, ...readNames(request) };
}

/**
 * Refuses a request that names anybody but its owner. Names may be left out; what is there must be the owner's.
 * @throws DENIED_FOREIGN_TENANT, DENIED_WRONG_CLASS, DENIED_FOREIGN_NAME, DENIED_NAME_NOT_ALLOWED, DENIED_WRONG_USAGE
 */
export function assertCsrFor(csr: Csr, { leafClass, tenant, name }: CsrOwner): void {
  const { O, OU, CN } = csr.subject;
  const foreignTenant = O.find((value) => value !== tenant);
  if (foreignTenant !== undefined) throw denial("foreign-tenant", `the request is of the tenant "${foreignTenant}"`);
  const foreignUnit = OU.find((value) => value !== leafClass);
  if (foreignUnit !== undefined) throw denial("wrong-class", `the request is for "${foreignUnit}", not ${leafClass}`);
  if (CN.length > 1) throw denial("name-not-allowed", `the request has ${CN.length} common names`);
  for (const value of CN) assertOwnName(value, leafClass, name);
  const own = `dns:${name}.${classDomain(leafClass, tenant)}`;
  const foreign = csr.names.find((value) => value !== own && value !== `dns:${name}`);
  if (foreign !== undefined) throw denial("foreign-name", `the request names "${foreign}", which is not "${own}"`);
  if (csr.asksForMore) throw denial("wrong-usage", "the request asks for more than a TLS client's certificate");
}

function assertOwnName(value: string, leafClass: LeafClass, name: string): void {
  const other = Object.entries(NAME_PREFIX).find(([each, prefix]) => each !== leafClass && value.startsWith(prefix));
  if (other !== undefined)
    throw denial("wrong-class", `"${value}" is a name of the class ${other[0]}, not ${leafClass}`);
  try {
    assertCommonName(leafClass, value);
  } catch {
    throw denial("name-not-allowed", `"${value}" is not a name of the class ${leafClass}`);
  }
  if (value !== name) throw denial("foreign-name", `the request names "${value}", and not "${name}"`);
}

function decode(source: string | Uint8Array<ArrayBuffer>): x509.Pkcs10CertificateRequest {
  try {
    if (source.length > MAX_BYTES) throw new RangeError("too long");
    if (typeof source !== "string") return readable(new x509.Pkcs10CertificateRequest(source));
    const [block, ...more] = x509.PemConverter.decodeWithHeaders(source);
    if (block === undefined || more.length > 0 || !/^(?:NEW )?CERTIFICATE REQUEST$/.test(block.type)) {
      throw new TypeError("not one request");
    }
    return readable(new x509.Pkcs10CertificateRequest(block.rawData));
  } catch {
    throw denial("corrupt", `the request is not one PKCS #10 request of at most ${MAX_BYTES} bytes`);
  }
}

/** The library reads a request's parts when they are asked for, and throws then. */
function readable(request: x509.Pkcs10CertificateRequest): x509.Pkcs10CertificateRequest {
  void request.publicKey;
  return request;
}

function readHash(request: x509.Pkcs10CertificateRequest): string {
  try {
    const { hash } = request.signatureAlgorithm as { readonly hash?: { readonly name?: string } };
    return hash?.name ?? "";
  } catch {
    return "";
  }
}

function readNames(request: x509.Pkcs10CertificateRequest): Omit<Csr, "publicKeySpki"> {
  try {
    const { subjectName, extensions } = request;
    const [O, OU, CN] = ["O", "OU", "CN"].map((attribute) => subjectName.getField(attribute));
    const names = extensions.filter((one) => one instanceof x509.SubjectAlternativeNameExtension);
    const usages = extensions.filter((one) => one instanceof x509.ExtendedKeyUsageExtension);
    return {
      subject: { O: O ?? [], OU: OU ?? [], CN: CN ?? [] },
      names: names.flatMap((one) => one.names.items.map(({ type, value }) => `${type}:${value}`)),
      asksForMore:
        extensions.some((one) => one instanceof x509.BasicConstraintsExtension && one.ca) ||
        usages.some((one) => one.usages.some((usage) => usage !== CLIENT_AUTH)),
    };
  } catch {
    throw denial("corrupt", "the names of the request cannot be read");
  }
}
