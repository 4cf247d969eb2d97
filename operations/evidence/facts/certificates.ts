import { X509Certificate } from "node:crypto";
import { type InventorySource, planInventory } from "../../../certs/inventory.ts";
import type { LedgerRecord } from "../../../certs/ledger/record.ts";
import { normalSerial } from "../../../certs/serial.ts";
import type { Facts } from "../schema/facts-schema.ts";

/**
 * Every certificate that a host keeps, authorities and leaves, each once.
 * @param isRevoked by its serial number in lower-case hex, and the common name of its issuer
 */
export function certificatesOf(
  sources: readonly InventorySource[],
  at: Date,
  isRevoked: (serial: string, issuer: string) => boolean,
): Facts["certificates"] {
  const bySerial = new Map(
    sources.map(({ certPem }) => {
      const certificate = new X509Certificate(certPem);
      return [`${normalSerial(certificate.serialNumber)} ${certificate.issuer}`, certificate];
    }),
  );
  const found = [...bySerial.values()];
  return planInventory({ sources, at, isRevoked }).flatMap((row) => {
    const certificate = found.find(
      (each) => normalSerial(each.serialNumber) === row.serial && each.subject.replaceAll("\n", ", ") === row.subject,
    );
    if (certificate === undefined) return [];
    return [
      {
        class: row.class,
        subject: row.subject,
        issuer: row.issuer,
        serial: row.serial,
        sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
        notBefore: certificate.validFromDate.toISOString(),
        notAfter: row.notAfter.toISOString(),
        state: row.state,
        usedBy: [...row.usedBy],
      },
    ];
  });
}

/** Certificates of class operators that a ledger has as issued, neither revoked nor over, the last to end first. */
export function operatorsOf(
  records: readonly LedgerRecord[],
  at: Date,
): Facts["administrators"]["operatorCertificates"] {
  const revoked = new Set(records.flatMap(({ kind, serial }) => (kind === "revoked" ? [serial] : [])));
  return records
    .filter(({ kind, class: of, serial, notAfter }) => {
      return kind === "issued" && of === "operators" && !revoked.has(serial) && new Date(notAfter) > at;
    })
    .map(({ subject, issuer, serial, notAfter, actor: issuedBy }) => {
      return { subject, issuer, serial, notAfter: new Date(notAfter).toISOString(), issuedBy };
    })
    .sort((a, b) => (a.notAfter < b.notAfter ? 1 : -1));
}
