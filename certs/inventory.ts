import { X509Certificate } from "node:crypto";
import { type CertificateClass, classOf, commonName } from "./certificate-class.ts";
import { normalSerial } from "./serial.ts";
import type { Validity } from "./validity.ts";

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
      const validity = { notBefore: certificate.validFromDate, notAfter: certificate.validToDate };
      return {
        subject: certificate.subject.replaceAll("\n", ", "),
        issuer,
        serial,
        class: classOf(certificate),
        notAfter: certificate.validToDate,
        usedBy: [...usedBy].sort(),
        lifeLeft: lifeLeftAt(validity, at),
        state: isRevoked(serial, issuer) ? "revoked" : stateAt(validity, at),
      };
    })
    .sort(byEnd);
}

/** Puts what ends first at the top. */
export function byEnd(one: InventoryRow, other: InventoryRow): number {
  return one.notAfter.getTime() - other.notAfter.getTime() || (one.serial < other.serial ? -1 : 1);
}

/** Share of a certificate's life that is left, 0 to 1. */
export function lifeLeftAt({ notBefore, notAfter }: Validity, at: Date): number {
  const left = (notAfter.getTime() - at.getTime()) / (notAfter.getTime() - notBefore.getTime());
  return Math.min(1, Math.max(0, left));
}

/** How urgent a certificate is that was not revoked and is renewed in time. */
export function stateAt(validity: Validity, at: Date): InventoryState {
  if (at > validity.notAfter) return "expired";
  if (at < validity.notBefore) return "not-yet-valid";
  const lifeLeft = lifeLeftAt(validity, at);
  return STATES.find(([most]) => lifeLeft <= most)?.[1] ?? "ok";
}

/** What is measured of every certificate of an inventory, under names without their prefix. */
export const INVENTORY_GAUGES = [
  {
    name: "certificate_not_after_seconds",
    help: "End of a certificate, seconds since 1970.",
    measure: ({ notAfter }: InventoryRow): number => Math.floor(notAfter.getTime() / 1000),
  },
  {
    name: "certificate_life_left_ratio",
    help: "Share of a certificate's life that is left.",
    measure: ({ lifeLeft }: InventoryRow): number => Number(lifeLeft.toFixed(6)),
  },
] as const;

/** The labels of a certificate's measures. */
export function inventoryLabels({ subject, issuer, serial, class: of, usedBy, state }: InventoryRow) {
  return { subject, issuer, serial, class: of, used_by: usedBy.join(" "), state };
}

/**
 * The inventory in Prometheus' text format, for its node exporter's folder of text files: one gauge with the end, one with the
 * share of life that is left.
 */
export function renderInventoryMetrics(rows: readonly InventoryRow[]): string {
  const lines = INVENTORY_GAUGES.flatMap(({ name, help, measure }) => [
    `# HELP trustkern_${name} ${help}`,
    `# TYPE trustkern_${name} gauge`,
    ...rows.map((row) => `trustkern_${name}{${renderLabels(row)}} ${measure(row)}`),
  ]);
  return `${lines.join("\n")}\n`;
}

function renderLabels(row: InventoryRow): string {
  return Object.entries(inventoryLabels(row))
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`))}"`)
    .join(",");
}
