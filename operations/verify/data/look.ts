import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import type { Canary } from "../search/needles.ts";
import type { Place } from "../search/place.ts";
import type { Hit } from "../search/search.ts";

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

const PLANTED_BYTES = 24;
const PLANTED = "planted: ";

/** A canary of the search's own, which it has to find wherever it looks. */
export function makePlanted(): Canary {
  const text = randomBytes(PLANTED_BYTES).toString("hex");
  return { name: "planted", cores: [{ what: "text", bytes: Buffer.from(text) }], homes: [] };
}

/**
 * Searches sources one after the other, and after them what is planted, by the same way.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING; what else fails is a source that was not read
 */
export async function look(sources: readonly Source[], search: Search, planted: Canary): Promise<Look> {
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
  const ways = plantedPlaces(planted);
  const seen = new Set((await search(streamed(ways))).map(({ place }) => place));
  const blind = ways.flatMap(({ name }) => (seen.has(name) ? [] : [name.slice(PLANTED.length)]));
  return { ...counted, hits: found, unread, blind };
}

const ENDS_IT: readonly string[] = ["DOCKER_UNREACHABLE", "DOCKER_MISSING", "DEPLOY_CANCELLED"];

async function* counting(places: AsyncIterable<Place>, count: () => void): AsyncIterable<Place> {
  for await (const place of places) {
    count();
    yield place;
  }
}

/** A canary in a line of text, in base64 of something longer, in hex, inside of gzip, and over the chunks of a stream. */
function plantedPlaces({ cores }: Canary): readonly Place[] {
  const value = cores[0]?.bytes ?? Buffer.alloc(0);
  const line = Buffer.concat([Buffer.from('{"at":"'), value, Buffer.from('"}\n')]);
  const ways: Readonly<Record<string, Place["content"]>> = {
    "a line": line.toString("utf8"),
    base64: line.toString("base64"),
    hex: line.toString("hex"),
    gzip: Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), gzipSync(line), Buffer.alloc(8)]),
    "a stream": streamed([line.subarray(0, 20), line.subarray(20)]),
  };
  return Object.entries(ways).map(([way, content]) => ({ name: `${PLANTED}${way}`, content }));
}

async function* streamed<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}
