import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { messageOf } from "../../../shared/errors.ts";
import { readTls, type Tls13Options, type TlsFiles } from "../tls.ts";
import { brokerTrustErrors } from "./errors.ts";
import { certificatesIn, signedBy } from "./issuers.ts";

/** What of a broker's TLS is in force, for `GET /status`. */
export interface TlsInForce {
  /** SHA-256 of the leaf's DER in hex. */
  readonly certificate: string;
  readonly serial: string;
  readonly notAfter: string;
  /** SHA-256 of each trust anchor's DER in hex. */
  readonly anchors: readonly string[];
}

/**
 * Reads a broker's own TLS files and refuses a set that is half of one and half of another, as it is for the moment in which
 * somebody replaces them: the key is that of the leaf, and the leaf's chain ends at an anchor.
 * @throws SERVICE_FILE_UNREADABLE, BROKER_PAIR_INVALID
 */
export function readOwnTls(files: TlsFiles): Tls13Options {
  const tls = readTls(files);
  const [leaf, ...chain] = certificatesIn(tls.cert);
  const anchors = certificatesIn(tls.ca);
  if (leaf === undefined) throw invalid(files.certFile, "it has no certificate");
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(tls.key)))
      throw invalid(files.keyFile, "the key is not that of the certificate");
  } catch (thrown) {
    throw invalid(files.keyFile, messageOf(thrown));
  }
  if (![...chain, ...anchors].some((issuer) => signedBy(leaf, issuer) && leadsTo(issuer, anchors)))
    throw invalid(files.certFile, "its chain does not end at a trust anchor");
  return tls;
}

/** Describes what is in force. */
export function describeTls({ cert, ca }: Pick<Tls13Options, "cert" | "ca">): TlsInForce {
  const leaf = new X509Certificate(cert);
  return {
    certificate: sha256(leaf),
    serial: leaf.serialNumber.toLowerCase(),
    notAfter: leaf.validToDate.toISOString(),
    anchors: certificatesIn(ca).map(sha256),
  };
}

function leadsTo(issuer: X509Certificate, anchors: readonly X509Certificate[]): boolean {
  return anchors.some((anchor) => anchor.raw.equals(issuer.raw) || signedBy(issuer, anchor));
}

function sha256({ raw }: X509Certificate): string {
  return createHash("sha256").update(raw).digest("hex");
}

function invalid(path: string, message: string): Error {
  return brokerTrustErrors.error("BROKER_PAIR_INVALID", `${path}: ${message}`, { path });
}
