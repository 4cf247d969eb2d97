import { X509Certificate } from "node:crypto";
import { classOf, commonName } from "../certificate-class.ts";
import { normalSerial } from "../serial.ts";
import type { LedgerEntry } from "./record.ts";

/** What happened to a certificate, by whom and why. */
export type Happening = Pick<LedgerEntry, "kind" | "actor" | "reason" | "verdict">;

/** The entry of a certificate: the first of the text. */
export function entryOf(certPem: string, happening: Happening): LedgerEntry {
  const certificate = new X509Certificate(certPem);
  return {
    ...happening,
    serial: normalSerial(certificate.serialNumber),
    issuer: commonName(certificate.issuer),
    subject: commonName(certificate.subject),
    class: classOf(certificate),
    notAfter: certificate.validToDate.toISOString(),
    sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
