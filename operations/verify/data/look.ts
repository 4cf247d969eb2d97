import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import type { Place } from "../search/place.ts";
import type { Hit } from "../search/search.ts";
import { type Planted, plantedPlaces } from "./planted.ts";

/** Somewhere that is looked at as one: a volume, an answer of a program, a capture. */
export interface Source {
  /** Such as `volume state of broker`. */
  readonly name: string;
  /** @param onUnread hears of what cannot be looked at, with the reason */
  readonly places: (onUnread: (what: string) => void, onOld: () => void) => AsyncIterable<Place>;
}

/** What a look at some sources came to. Holds nothing of what was looked for. */
export interface Look {
  /** Places that were searched. */
  readonly searched: number;
  /** Files that nobody touched since the message was made. */
  readonly old: number;
  readonly hits: readonly Hit[];
  /** What could not be looked at, each with the reason. */
  readonly unread: readonly string[];
  /** Ways to leak of which the search did not find its own. */
  readonly blind: readonly string[];
}

/** Looks through places, and gives what it found. */
export type Search = (places: AsyncIterable<Place>) => Promise<readonly Hit[]>;

/**
 * Searches sources one after the other, and after them what is planted, by the same way.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, CLUSTER_UNREACHABLE; what else fails is a source that was not read
 */
export async function look(sources: readonly Source[], search: Search, planted: Planted): Promise<Look> {
  const unread: string[] = [];
  const counted = { searched: 0, old: 0 };
  const found: Hit[] = [];
  for (const { name, places } of sources) {
    const read = places(
      (what) => unread.push(`${name}: ${what}`),
      () => {
        counted.old += 1;
      },
    );
    try {
      found.push(...(await search(counting(read, () => (counted.searched += 1)))));
    } catch (thrown) {
      if (thrown instanceof TrustKernError && ENDS_IT.includes(thrown.code)) throw thrown;
      unread.push(`${name}: ${messageOf(thrown)}`);
    }
  }
  const ways: string[] = [];
  const seen = new Set((await search(counting(plantedPlaces(planted), ({ name }) => ways.push(name)))).map(placeOf));
  const blind = ways.filter((way) => !seen.has(way));
  return { ...counted, hits: found, unread, blind };
}

const ENDS_IT: readonly string[] = ["DOCKER_UNREACHABLE", "DOCKER_MISSING", "CLUSTER_UNREACHABLE", "DEPLOY_CANCELLED"];

/** An entry of an archive counts for the archive. */
function placeOf({ place }: Hit): string {
  return place.replace(/ \(.*\)$/, "");
}

async function* counting(places: AsyncIterable<Place>, count: (place: Place) => void): AsyncIterable<Place> {
  for await (const place of places) {
    count(place);
    yield place;
  }
}
