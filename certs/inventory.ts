import { X509Certificate } from "node:crypto";
import { type CertificateClass, classOf, commonName } from "./certificate-class.ts";
import { normalSerial } from "./serial.ts";

/** A certificate and where it is used. */
export interface InventorySource {
  /** Its first certificate counts. */
  readonly certPem: string;
  /** Such as `secrets/backend/tls.crt`. */
  readonly usedBy: string;
}

/** How urgent a certificate is. `overdue-…` is a renewal that should have happened at a third of life left. */
export type InventoryState =
  | "ok"
  | "due"
  | "overdue-20"
  | "overdue-10"
  | "overdue-3"
  | "expired"
  | "not-yet-valid"
  | "revoked";

/** One certificate of the inventory. */
export interface InventoryRow {
  /** `O=acme, OU=services, CN=svc-broker`. */
  readonly subject: string;
  /** Common name of the issuer. */
  readonly issuer: string;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly class: CertificateClass;
  readonly notAfter: Date;
  /** Everywhere that it is used, sorted. */
  readonly usedBy: readonly string[];
  /** Share of its life that is left, 0 to 1. */
  readonly lifeLeft: number;
  readonly state: InventoryState;
}

/** What {@link planInventory} looks at. */
export interface InventoryRequest {
  readonly sources: readonly InventorySource[];
  readonly at: Date;
  /** Whether a certificate was revoked, by its serial number in lower-case hex without leading zeros. @default none was */
  readonly isRevoked?: ((serial: string, issuer: string) => boolean) | undefined;
}

/** States by the share of life that is left at most, the most urgent first. */
const STATES = [
  [0.03, "overdue-3"],
  [0.1, "overdue-10"],
  [0.2, "overdue-20"],
  [1 / 3, "due"],
] as const satisfies readonly (readonly [number, InventoryState])[];

/**
 * Every certificate once, however often it is used, the one that ends first at the top.
 * @throws TypeError of node:crypto when a source is no certificate
 */
export function planInventory({ sources, at, isRevoked = () => false }: InventoryRequest): readonly InventoryRow[] {
  const places = new Map<string, { readonly certificate: X509Certificate; readonly usedBy: Set<string> }>();
  for (const { certPem, usedBy } of sources) {
    const certificate = new X509Certificate(certPem);
    const known = places.get(certificate.fingerprint256) ?? { certificate, usedBy: new Set<string>() };
    known.usedBy.add(usedBy);
    places.set(certificate.fingerprint256, known);
  }
  return [...places.values()]
    .map(({ certificate, usedBy }): InventoryRow => {
      const serial = normalSerial(certificate.serialNumber);
      const issuer = commonName(certificate.issuer);
      const lifeLeft = lifeLeftOf(certificate, at);
      return {
        subject: certificate.subject.replaceAll("\n", ", "),
        issuer,
        serial,
        class: classOf(certificate),
        notAfter: certificate.validToDate,
        usedBy: [...usedBy].sort(),
        lifeLeft,
        state: isRevoked(serial, issuer) ? "revoked" : stateOf(certificate, lifeLeft, at),
      };
    })
    .sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime() || (one.serial < other.serial ? -1 : 1));
}

/** Share of a certificate's life that is left, 0 to 1. */
function lifeLeftOf({ validFromDate, validToDate }: X509Certificate, at: Date): number {
  const left = (validToDate.getTime() - at.getTime()) / (validToDate.getTime() - validFromDate.getTime());
  return Math.min(1, Math.max(0, left));
}

function stateOf({ validFromDate, validToDate }: X509Certificate, lifeLeft: number, at: Date): InventoryState {
  if (at > validToDate) return "expired";
  if (at < validFromDate) return "not-yet-valid";
  return STATES.find(([most]) => lifeLeft <= most)?.[1] ?? "ok";
}

/**
 * The inventory in Prometheus' text format, for its node exporter's folder of text files: one gauge with the end, one with the
 * share of life that is left.
 */
export function renderInventoryMetrics(rows: readonly InventoryRow[]): string {
  const gauge = (name: string, help: string, numberOf: (row: InventoryRow) => number): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...rows.map((row) => `${name}{${labelsOf(row)}} ${numberOf(row)}`),
  ];
  return [
    ...gauge("trustkern_certificate_not_after_seconds", "End of a certificate, seconds since 1970.", ({ notAfter }) =>
      Math.floor(notAfter.getTime() / 1000),
    ),
    ...gauge("trustkern_certificate_life_left_ratio", "Share of a certificate's life that is left.", (row) =>
      Number(row.lifeLeft.toFixed(6)),
    ),
    "",
  ].join("\n");
}

function labelsOf({ subject, issuer, serial, class: of, usedBy, state }: InventoryRow): string {
  const labels = { subject, issuer, serial, class: of, used_by: usedBy.join(" "), state };
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`))}"`)
    .join(",");
}
