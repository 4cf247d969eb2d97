import type { ListedGeneration } from "../custody-management.ts";
import { generationErrors } from "./errors.ts";
import { readKeyJournal } from "./journal.ts";
import type { SensorKeyUse } from "./key-use.ts";
import { type GenerationsPlace, requireListed } from "./place.ts";
import { destroyableAt, usersOf } from "./schedule.ts";

/** Names that a message gives before it only counts. */
const NAMED = 10;

/**
 * Destroys a `retired` generation once nothing stored can need it and no sensor uses it, or a `next` one that nobody uses. One
 * that is destroyed already stays so. Custody's copies of it on this host go with it, or are looked for again.
 * @returns the files of copies that were removed
 * @throws as assertDestroyable, STATE_UNWRITABLE, and what custody and the backend refuse with
 */
export async function destroyGeneration(place: GenerationsPlace, keyId: string): Promise<readonly string[]> {
  const { state } = await assertDestroyable(place, keyId);
  if (state === "destroyed") return place.destroyInCopies(keyId);
  await place.custody.destroy(keyId);
  const removed = place.destroyInCopies(keyId);
  // Sensors and bundles are told no more of one that was to come.
  if (state === "next") await place.publish();
  return removed;
}

/**
 * The generation of a key id, where it may be destroyed now or is so already. It changes nothing.
 * @throws KEYS_DESTROY_EARLY, KEYS_IN_USE, CUSTODY_GENERATION_UNKNOWN, and what asking custody and the collector throws
 */
export async function assertDestroyable(place: GenerationsPlace, keyId: string): Promise<ListedGeneration> {
  const generations = await place.custody.list();
  const generation = requireListed(generations, keyId);
  const { state, origin, compromised } = generation;
  if (state === "destroyed") return generation;
  if (state === "active") throw inUse(`generation "${keyId}" is active`);
  if (readKeyJournal(place.journalFile)?.keyId === keyId && compromised === undefined)
    throw inUse(
      `generation "${keyId}" is being rotated to`,
      "let `trustkern keys rotate` finish; another rotation replaces it then, and retention counts from there",
    );
  if (origin === "fixture")
    throw inUse(
      `generation "${keyId}" is of a vectors file, and custody opens it at each start`,
      "leave it: it is published, protects nothing, and is there only where `--fixture` was asked for",
    );
  const at = destroyableAt(generation, place.schedule);
  if (at !== null && Date.parse(at) > place.clock().getTime()) {
    const message = `generation "${keyId}" is not destroyed before ${at}: until then what is stored may have to be opened again`;
    throw generationErrors.error("KEYS_DESTROY_EARLY", message, { path: keyId });
  }
  // Closed to everything, it opens nothing for those who still use it.
  if (compromised?.stored === "block") return generation;
  const users = usersOf(await place.keyUse(), keyId, generations);
  if (users.length === 0) return generation;
  throw inUse(`generation "${keyId}" is used by ${users.length} sensors: ${renderSensors(users)}`);
}

/**
 * What destroying a generation of a ceremony leaves behind, as a sentence; null for one whose key was nowhere but in custody.
 */
export function leftByDestruction({ origin }: Pick<ListedGeneration, "origin">): string | null {
  if (origin !== "ceremony") return null;
  return "A ceremony made it: its shares still restore the private key, until its holders have destroyed their shares, and every copy of the escrow file and of the package is gone too.";
}

/** Sensors for a message: who, when last heard, through whom. */
export function renderSensors(sensors: readonly SensorKeyUse[]): string {
  const shown = sensors
    .slice(0, NAMED)
    .map(({ sensor_id, last_seen, gateway }) => `${sensor_id} (last seen ${last_seen ?? "never"}${via(gateway)})`);
  const more = sensors.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

function via(gateway: string | null): string {
  return gateway === null ? "" : ` through ${gateway}`;
}

function inUse(message: string, fix?: string): Error {
  return generationErrors.error("KEYS_IN_USE", message, { fix });
}
