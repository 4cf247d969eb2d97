import type { KeyObject } from "node:crypto";
import { type AllowlistDocument, type Audience, parseAllowlist, renderAllowlist } from "./allowlist-document.ts";
import { dsseSign, dsseVerify } from "./dsse.ts";
import { protocolErrors } from "./errors.ts";
import { bytesOfHex } from "./hex.ts";
import { importP256Point, type Signer } from "./signature.ts";

/** DSSE payload type of an allowlist. */
export const ALLOWLIST_TYPE = "application/vnd.trustkern.allowlist+json";

/** A verified allowlist, ready for {@link lookup}. */
export interface Allowlist {
  readonly document: AllowlistDocument;
  readonly entries: ReadonlyMap<string, AllowlistEntry>;
}

/** What an allowlist says about one sensor. */
export type AllowlistEntry =
  | { readonly kind: "known"; readonly publicKey: KeyObject; readonly maker: string }
  | { readonly kind: "revoked" }
  | { readonly kind: "unknown" };

/** Signs an allowlist: a DSSE envelope in JSON. */
export function createAllowlist(document: AllowlistDocument, signer: Signer): Promise<string> {
  return dsseSign(ALLOWLIST_TYPE, Buffer.from(renderAllowlist(document)), signer);
}

/** What a receiver expects of an allowlist. */
export interface AllowlistExpectation {
  /** The DSSE envelope in JSON. */
  readonly dsse: string;
  readonly backendKey: KeyObject;
  readonly audience: Audience;
  /** Version of the copy held, 0 for none. The same version is taken again, a lower one is not. */
  readonly currentVersion: number;
}

/**
 * Verifies a signed allowlist, and makes its public keys ready.
 * @throws DSSE_MALFORMED, DSSE_BAD_SIGNATURE
 * @throws ALLOWLIST_MALFORMED for another schema, and for a public key that is not on the curve
 * @throws ALLOWLIST_AUDIENCE, ALLOWLIST_ROLLBACK
 */
export function verifyAllowlist({ dsse, backendKey, audience, currentVersion }: AllowlistExpectation): Allowlist {
  const document = parseAllowlist(dsseVerify(dsse, ALLOWLIST_TYPE, backendKey).toString("utf8"));
  if (document.audience !== audience) {
    const message = `the allowlist is for "${document.audience}", this is "${audience}"`;
    throw protocolErrors.error("ALLOWLIST_AUDIENCE", message, { path: "audience" });
  }
  if (document.version < currentVersion) {
    const message = `version ${document.version} is lower than ${currentVersion}, which is held`;
    throw protocolErrors.error("ALLOWLIST_ROLLBACK", message, { path: "version" });
  }
  return { document, entries: entriesOf(document) };
}

const UNKNOWN: AllowlistEntry = { kind: "unknown" };
const REVOKED: AllowlistEntry = { kind: "revoked" };

/** What an allowlist says about a sensor, by its id in lower-case hex. */
export function lookup(allowlist: Allowlist, sensorId: string): AllowlistEntry {
  return allowlist.entries.get(sensorId) ?? UNKNOWN;
}

/** A revocation wins over an entry, and holds for a sensor that is no longer listed. */
function entriesOf({ sensors, revoked }: AllowlistDocument): ReadonlyMap<string, AllowlistEntry> {
  const makers = new Set(revoked.filter(({ sensorIds }) => sensorIds === "all").map(({ maker }) => maker));
  const entries = new Map<string, AllowlistEntry>();
  for (const { sensorId, publicKey, maker } of sensors) {
    entries.set(
      sensorId,
      makers.has(maker) ? REVOKED : { kind: "known", publicKey: keyOf(sensorId, publicKey), maker },
    );
  }
  for (const { sensorIds } of revoked) {
    if (sensorIds !== "all") for (const sensorId of sensorIds) entries.set(sensorId, REVOKED);
  }
  return entries;
}

function keyOf(sensorId: string, point: string): KeyObject {
  try {
    return importP256Point(bytesOfHex(point));
  } catch (cause) {
    throw protocolErrors.error("ALLOWLIST_MALFORMED", `the public key of ${sensorId} is no point on P-256`, { cause });
  }
}
