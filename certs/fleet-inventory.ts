import { byEnd, type InventoryRow, lifeLeftAt, stateAt } from "./inventory.ts";
import type { LedgerRecord } from "./ledger/record.ts";
import { DEVICE_UNIT, LEAF_CLASSES, type LeafClass } from "./names.ts";
import type { Validity } from "./validity.ts";

/** A certificate on record at the backend. */
export interface FleetCertificate extends Validity {
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  /** Common name of its authority. */
  readonly issuer: string;
  readonly leafClass: LeafClass | typeof DEVICE_UNIT;
  /** Common name. */
  readonly name: string;
  /** `expected` until its holder shows it: nobody knows whether it was ever made. */
  readonly state: "expected" | "issued" | "revoked";
}

/** What {@link planFleetInventory} looks at. */
export interface FleetRequest {
  readonly tenant: string;
  readonly certificates: readonly FleetCertificate[];
  readonly at: Date;
}

/**
 * The inventory of what was issued to others, who keep it where nobody else looks. Of services and gateways it has the newest
 * certificate of each name, an old one that was seen before a newer one that was not, and passes over what a newer one has replaced;
 * of operators all that are valid. What was revoked is in it for as long as it would be valid, since lists have it for as long.
 */
export function planFleetInventory({ tenant, certificates, at }: FleetRequest): readonly InventoryRow[] {
  const current = new Map<string, FleetCertificate>();
  for (const each of certificates) {
    if (each.state === "revoked" || each.leafClass === "operators") continue;
    const held = current.get(each.name);
    if (held === undefined || isBetter(each, held)) current.set(each.name, each);
  }
  const others = certificates.filter(
    ({ state, leafClass, notAfter }) => (state === "revoked" || leafClass === "operators") && notAfter > at,
  );
  return [...current.values(), ...others].map((each) => rowOf(each, tenant, at)).sort(byEnd);
}

/** Who shows a certificate of this name makes one for each while, and keeps it in memory alone. */
const IN_MEMORY = "op-admin";

/**
 * What a ledger has issued to others, for {@link planFleetInventory}: where it is kept, nobody here knows. A record is as old as its
 * certificate.
 */
export function issuedByLedger(records: readonly LedgerRecord[]): readonly FleetCertificate[] {
  const revoked = new Set(records.flatMap(({ kind, serial }) => (kind === "revoked" ? [serial] : [])));
  return records.flatMap((record) => {
    const leafClass = ([...LEAF_CLASSES, DEVICE_UNIT] as const).find((each) => each === record.class);
    if (record.kind !== "issued" || leafClass === undefined || leafClass === "services") return [];
    if (record.subject === IN_MEMORY) return [];
    const { serial, issuer, subject: name } = record;
    const state = revoked.has(serial) ? "revoked" : "issued";
    return [
      { serial, issuer, leafClass, name, state, notBefore: new Date(record.at), notAfter: new Date(record.notAfter) },
    ];
  });
}

/** One inventory of two, each certificate once; what either says is revoked is revoked. */
export function mergeInventories(
  ours: readonly InventoryRow[],
  theirs: readonly InventoryRow[],
): readonly InventoryRow[] {
  const keyOf = ({ issuer, serial }: InventoryRow): string => `${issuer}/${serial}`;
  const revoked = new Set(theirs.filter(({ state }) => state === "revoked").map(keyOf));
  const known = new Set(ours.map(keyOf));
  const marked = ours.map((row) => (revoked.has(keyOf(row)) ? { ...row, state: "revoked" as const } : row));
  return [...marked, ...theirs.filter((row) => !known.has(keyOf(row)))].sort(byEnd);
}

function isBetter(one: FleetCertificate, other: FleetCertificate): boolean {
  if (one.state !== other.state) return one.state === "issued";
  return one.notAfter > other.notAfter;
}

function rowOf(certificate: FleetCertificate, tenant: string, at: Date): InventoryRow {
  const { serial, issuer, leafClass, name, notAfter } = certificate;
  return {
    subject: `O=${tenant}, OU=${leafClass}, CN=${name}`,
    issuer,
    serial,
    class: leafClass,
    notAfter,
    usedBy: [`fleet/${name}`],
    lifeLeft: lifeLeftAt(certificate, at),
    state: certificate.state === "revoked" ? "revoked" : stateOf(certificate, at),
  };
}

/** An operator's certificate is never renewed: another one is made when its owner comes back. */
function stateOf(certificate: FleetCertificate, at: Date): InventoryRow["state"] {
  const state = stateAt(certificate, at);
  return certificate.leafClass === "operators" && /^due|^overdue/.test(state) ? "ok" : state;
}
