import type { RevocationReason } from "../../../certs/crl/reasons.ts";
import type { AuthorityFiles } from "../authority-store.ts";
import type { KeyCeremony } from "../key-ceremony.ts";
import type { BrokerPins } from "../pins.ts";
import type { StoreFiles } from "../store-files.ts";
import type { Fleet } from "./fleet.ts";

/** What the phases of every rotation work with. */
export interface RotationContext {
  readonly files: StoreFiles;
  readonly secretFile: (component: string, secret: string) => string;
  /** Gateways of this host that are not revoked, which have a token each. */
  readonly gateways: readonly string[];
  readonly fleet: Fleet;
  /** Who is there when an authority's key is made, and where it goes. */
  readonly ceremony: KeyCeremony;
  /** Moves authorities between next, current and old. */
  readonly store: AuthorityFiles;
  /**
   * Makes every secret what the authorities' files say: anchors, leaves, pins, revocation lists. Done twice, it comes to the same.
   * @param expired fingerprints of leaves that are to be issued anew although they are young
   */
  readonly converge: (expired?: ReadonlySet<string>) => Promise<void>;
  /** Pins of the broker as the authorities' files say, lower-case hex. */
  readonly pins: () => BrokerPins;
  /** Takes the pin out that was in use before. */
  readonly dropPreviousPin: () => void;
  /** Every revocation list of this host, PEM. */
  readonly crls: () => readonly string[];
  /** Every leaf of a component: its files, without a key. */
  readonly leafFiles: (component: string) => readonly string[];
  /** Enters a revocation in the ledger, once. */
  readonly revoke: (certificatePem: string, reason: RevocationReason) => Promise<void>;
}
