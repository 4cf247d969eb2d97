import type { KeyObject } from "node:crypto";
import { type Allowlist, verifyAllowlist } from "../../../protocol/allowlist.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { TrustView } from "../intake/intake.ts";
import type { Documents } from "../store/documents.ts";

/** The gateway's own copy of the allowlist. */
export interface Trust extends TrustView {
  /**
   * Takes a signed copy; a bad one is refused and the old one stays in force.
   * @throws DSSE_MALFORMED, DSSE_BAD_SIGNATURE, ALLOWLIST_MALFORMED, ALLOWLIST_AUDIENCE, ALLOWLIST_ROLLBACK
   */
  readonly take: (dsse: string) => void;
  /** Version, time of issue and age rule of the copy in force, or null. */
  readonly status: () => { readonly version: number; readonly issuedAt: string; readonly tooOld: boolean } | null;
}

/** What {@link createTrust} is handed. */
export interface TrustOptions {
  /** Name of the gateway, `gw-…`. */
  readonly gateway: string;
  readonly backendKey: KeyObject;
  readonly documents: Documents;
  readonly maxAgeHours: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told about a copy on disk that does not verify, and about one that could not be kept. */
  readonly onError: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;

/** Makes a {@link Trust} from the copy on disk, which is verified as if it had just come. */
export function createTrust({ gateway, backendKey, documents, maxAgeHours, now, onError }: TrustOptions): Trust {
  let allowlist: Allowlist | undefined;
  let held: string | undefined;
  let heldSinceMs = 0;

  function adopt(dsse: string): void {
    const currentVersion = allowlist?.document.version ?? 0;
    allowlist = verifyAllowlist({ dsse, backendKey, audience: `gateway/${gateway}`, currentVersion });
    held = dsse;
    heldSinceMs = now();
  }

  const stored = documents.get("allowlist");
  if (stored !== undefined) {
    try {
      adopt(stored);
    } catch (error) {
      onError(new Error(`the allowlist on disk is not used: ${messageOf(error)}`, { cause: error }));
    }
  }

  /** A backend's clock that is ahead makes no document younger than it is here. */
  const isTooOld = (): boolean =>
    allowlist !== undefined && now() - Math.min(allowlist.document.issuedAtMs, heldSinceMs) > maxAgeHours * HOUR_MS;

  return {
    current: () => allowlist,
    isTooOld,
    take(dsse) {
      if (dsse === held) return;
      adopt(dsse);
      try {
        documents.put("allowlist", dsse);
      } catch (error) {
        // A revocation holds at once, even where it cannot be written down.
        onError(error);
      }
    },
    status() {
      if (!allowlist) return null;
      const { version, issuedAtMs } = allowlist.document;
      return { version, issuedAt: new Date(issuedAtMs).toISOString(), tooOld: isTooOld() };
    },
  };
}
