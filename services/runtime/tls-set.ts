import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { crlsOf, optionsOf, type TlsTexts } from "./tls.ts";

/** Why a set of files is not taken. */
export type TlsProblem = "corrupt" | "key-mismatch" | "wrong-ca" | "expired" | "not-yet-valid";

/** What is in force, as `GET /status` says it. */
export interface TlsStatus {
  /** SHA-256 over the leaf's DER, lower-case hex. */
  readonly certificate: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** Beginning and end of the leaf's life: RFC 3339, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 over the DER of each trust anchor, lower-case hex. */
  readonly anchors: readonly string[];
}

const MAX_CHAIN = 5;

/**
 * What keeps files from being used as they are, or null. `corrupt` and `key-mismatch` are what a reader meets between two
 * writes; the others are a set that is whole and wrong.
 */
export function tlsProblem(texts: TlsTexts, atMs: number): TlsProblem | null {
  return brokenTls(texts) ?? untrustedTls(texts, atMs);
}

/** Whether the texts are whole, and the key is the leaf's. */
export function brokenTls(texts: TlsTexts): "corrupt" | "key-mismatch" | null {
  try {
    const [leaf] = certificatesOf(texts.cert);
    certificatesOf(texts.ca);
    const key = createPrivateKey(texts.key);
    if (texts.crl !== undefined && !areLists(texts.crl)) return "corrupt";
    if (!leaf?.checkPrivateKey(key)) return "key-mismatch";
    createSecureContext({ ...optionsOf(texts) });
    return null;
  } catch {
    return "corrupt";
  }
}

/** The certificate and the trust anchors of a set. */
export function describeTls({ cert, ca }: Pick<TlsTexts, "cert" | "ca">): TlsStatus {
  const [leaf] = certificatesOf(cert);
  if (leaf === undefined) throw new Error("no certificate");
  return {
    certificate: sha256Of(leaf),
    serial: leaf.serialNumber.toLowerCase(),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    anchors: anchorsIn(ca),
  };
}

/** SHA-256 over the DER of each certificate of a PEM, lower-case hex. Throws for any other text. */
export function anchorsIn(ca: string): readonly string[] {
  return certificatesOf(ca).map(sha256Of);
}

/** Every certificate of a PEM that holds nothing else. Throws for any other text. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  if (!isWhole(pem, "CERTIFICATE")) throw new Error("not a PEM of whole certificates");
  const blocks = pem.split(/(?<=-----END CERTIFICATE-----)\s*/).filter((block) => block !== "");
  return blocks.map((block) => new X509Certificate(block));
}

function untrustedTls({ cert, ca }: TlsTexts, atMs: number): TlsProblem | null {
  const [leaf, ...issuers] = certificatesOf(cert);
  const anchors = certificatesOf(ca);
  const path: X509Certificate[] = [];
  let last = leaf;
  for (; last !== undefined && path.length < MAX_CHAIN; last = issuers.find((issuer) => signed(path.at(-1), issuer))) {
    path.push(last);
    const anchor = anchors.find((each) => signed(path.at(-1), each));
    if (anchor) return datesProblem([...path, anchor], atMs);
  }
  return "wrong-ca";
}

function signed(subject: X509Certificate | undefined, issuer: X509Certificate): boolean {
  return subject?.checkIssued(issuer) === true && subject.verify(issuer.publicKey);
}

function datesProblem(path: readonly X509Certificate[], atMs: number): TlsProblem | null {
  if (path.some(({ validFromDate }) => validFromDate.getTime() > atMs)) return "not-yet-valid";
  return path.some(({ validToDate }) => validToDate.getTime() < atMs) ? "expired" : null;
}

/** Whether a text is complete revocation lists, with or without the certificates of those who signed them. */
function areLists(text: string): boolean {
  return isWhole(text, "(?:X509 CRL|CERTIFICATE)") && crlsOf(text).length > 0;
}

/** Whether a text is one or more complete PEM blocks of that label (part of a regular expression), and white space. */
function isWhole(text: string, label: string): boolean {
  const block = `-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`;
  return new RegExp(`^\\s*(?:${block}\\s*)+$`).test(text);
}

function sha256Of({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(":", "").toLowerCase();
}
