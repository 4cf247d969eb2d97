import { custodyErrors } from "../../../custody/errors.ts";
import type { RotationSchedule } from "../../../model/custody.ts";
import type { ListedGeneration } from "../custody-management.ts";
import type { StoreFiles } from "../store-files.ts";
import type { SensorKeyUse } from "./key-use.ts";

/** What is asked of custody, under the name of who asks. */
export interface CustodyOrders {
  /** Every generation ever made, oldest first. @throws CUSTODY_SEALED, GRPC_UNREACHABLE; so do all */
  readonly list: () => Promise<readonly ListedGeneration[]>;
  /** Makes a `next` generation that sensors use as soon as they know it. */
  readonly generate: () => Promise<ListedGeneration>;
  readonly activate: (keyId: string) => Promise<void>;
  readonly destroy: (keyId: string) => Promise<void>;
  /** Gives the active generation. */
  readonly compromise: (keyId: string, stored: "allow" | "block", reason: string) => Promise<ListedGeneration>;
}

/** The generations of a deployment, and everybody who has to do with them. */
export interface GenerationsPlace {
  readonly custody: CustodyOrders;
  /**
   * Gives the usable public keys to the backend, and a signed update to each sensor that lacks them. Done again, it goes on.
   * Sensors use the preferred one of them, or else the youngest.
   */
  readonly publish: (preferred?: string) => Promise<void>;
  readonly keyUse: () => Promise<readonly SensorKeyUse[]>;
  /** Takes a destroyed key out of the copies of custody's files that this host has; gives the files. @throws STATE_UNWRITABLE */
  readonly destroyInCopies: (keyId: string) => readonly string[];
  readonly schedule: RotationSchedule;
  /** Of a rotation that has begun. */
  readonly journalFile: string;
  readonly files: StoreFiles;
  readonly clock: () => Date;
}

/** The generation of a key id, where custody has ever had it. */
export function findListed(generations: readonly ListedGeneration[], keyId: string): ListedGeneration | undefined {
  return generations.find((each) => each.keyId === keyId);
}

/**
 * The generation of a key id.
 * @throws CUSTODY_GENERATION_UNKNOWN
 */
export function requireListed(generations: readonly ListedGeneration[], keyId: string): ListedGeneration {
  const found = findListed(generations, keyId);
  if (found !== undefined) return found;
  const known = generations.map((each) => each.keyId).join(", ");
  throw custodyErrors.error("CUSTODY_GENERATION_UNKNOWN", `no generation "${keyId}"; there are: ${known || "none"}`);
}

/** Keys of published fixtures, which no sensor of the deployment uses. */
export function fixtureKeys(generations: readonly ListedGeneration[]): ReadonlySet<string> {
  return new Set(generations.filter(({ origin }) => origin === "fixture").map(({ keyId }) => keyId));
}
