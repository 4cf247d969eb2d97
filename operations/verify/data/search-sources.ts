import { DEEP } from "../search/archives.ts";
import { needlesOf } from "../search/needles.ts";
import { type Hit, searchFor } from "../search/search.ts";
import type { DataObservation, PlaceCheck } from "./judge.ts";
import { type Look, look, type Source } from "./look.ts";
import type { Journey } from "./message/journey.ts";
import type { Marker } from "./message/marker.ts";
import { makePlanted } from "./planted.ts";
import type { Unsettled } from "./settle.ts";
import { missedOf, witnessesOf } from "./witnesses.ts";

/** What was sent, and where it is looked for. */
export interface SourcesSubject {
  readonly markers: readonly Marker[];
  readonly journey: Journey;
  readonly unsettled: Unsettled;
  readonly sources: Readonly<Record<PlaceCheck, readonly Source[]>>;
  /** Where the plaintext may be. */
  readonly inside: readonly Source[];
}

/** What a search came to. */
export type Found = Pick<DataObservation, "looks" | "missed" | "inside">;

/** Searches sources for the plaintext, and for what has to be there. */
export async function searchSources({ markers, journey, unsettled, sources, inside }: SourcesSubject): Promise<Found> {
  const planted = makePlanted();
  const canaries = [...markers.map(({ canary }) => canary), ...witnessesOf(journey), planted.canary];
  const search = searchFor(needlesOf(canaries), DEEP);
  const all: Record<string, Look> = {};
  for (const [check, some] of Object.entries({ ...sources, inside })) all[check] = await look(some, search, planted);
  const marked = new Set(markers.map(({ canary }) => canary.name));
  const isMarked = ({ canary }: Hit): boolean => marked.has(canary);
  const { inside: within, ...places } = all;
  const looks = Object.fromEntries(
    Object.entries(places).map(([check, seen]) => [check, { ...seen, hits: seen.hits.filter(isMarked) }]),
  ) as unknown as Record<PlaceCheck, Look>;
  const met = Object.values(places).flatMap(({ hits }) => hits.filter((hit) => !isMarked(hit)));
  return {
    looks,
    missed: missedOf({ journey, unsettled, met }),
    inside: [...new Set((within?.hits ?? []).filter(isMarked).map(({ place }) => volumeOf(place)))].sort(),
  };
}

/** Such as `volume data of database`. */
function volumeOf(place: string): string {
  const [, component, volume] = /^volumes\/([^/]+)\/([^/]+)/.exec(place) ?? [];
  return component === undefined ? place : `volume ${volume} of ${component}`;
}
