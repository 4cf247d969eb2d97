import type { ListedGeneration } from "../custody-management.ts";
import { generationErrors } from "./errors.ts";
import { readKeyJournal } from "./journal.ts";
import type { SensorKeyUse } from "./key-use.ts";
import { findListed, type GenerationsPlace } from "./place.ts";
import { destroyableAt, usersOf } from "./schedule.ts";

/** Names that a message gives before it only counts. */
const NAMED = 10;

/**
 * Destroys a `retired` generation once nothing stored can need it and no sensor uses it, or a `next` one that nobody uses. One
 * that is destroyed already stays so.
 * @throws KEYS_DESTROY_EARLY, KEYS_IN_USE, and what custody and the collector refuse with
 */
export async function destroyGeneration(place: GenerationsPlace, keyId: string): Promise<void> {
  const generations = await place.custody.list();
  const generation = findListed(generations, keyId);
  if (generation?.state === "destroyed") return;
  if (generation !== undefined) await assertDestroyable(place, generation, generations);
  await place.custody.destroy(keyId);
  // Sensors and bundles are told no more of one that was to come.
  if (generation?.state === "next") await place.publish();
}

async function assertDestroyable(
  place: GenerationsPlace,
  generation: ListedGeneration,
  generations: readonly ListedGeneration[],
): Promise<void> {
  const { keyId, state, origin, compromised } = generation;
  if (state === "active") throw inUse(`generation "${keyId}" is active`);
  if (readKeyJournal(place.journalFile)?.keyId === keyId && compromised === undefined)
    throw inUse(`generation "${keyId}" is being rotated to`);
  if (origin === "fixture")
    throw inUse(`generation "${keyId}" is of a vectors file, and custody opens it at each start`);
  const at = destroyableAt(generation, place.schedule);
  if (at !== null && Date.parse(at) > place.clock().getTime()) {
    const message = `generation "${keyId}" is not destroyed before ${at}: until then what is stored may have to be opened again`;
    throw generationErrors.error("KEYS_DESTROY_EARLY", message, { path: keyId });
  }
  // Closed to everything, it opens nothing for those who still use it.
  if (compromised?.stored === "block") return;
  const users = usersOf(await place.keyUse(), keyId, generations);
  if (users.length > 0)
    throw inUse(`generation "${keyId}" is used by ${users.length} sensors: ${renderSensors(users)}`);
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

function inUse(message: string): Error {
  return generationErrors.error("KEYS_IN_USE", message);
}
