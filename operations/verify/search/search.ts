import { type Depth, openedPlaces, SHALLOW } from "./archives.ts";
import type { Needle } from "./needles.ts";
import type { Place } from "./place.ts";

/** A canary that was found. Holds nothing of its value. */
export interface Hit {
  readonly place: string;
  readonly canary: string;
  readonly form: string;
  /** Whether the place is a file that it belongs in, its own or of somebody whom it is given to. */
  readonly belongs: boolean;
}

/** Bytes at the end of a needle's window that say how far to go on. */
const GRAM = 3;

/**
 * A search for many byte strings at once, by the way of Wu and Manber: the last {@link GRAM} bytes of a window as long as the
 * shortest needle say how many bytes no needle can start in.
 * @param depth how far into what is compressed and encoded. @default {@link SHALLOW}
 * @returns what looks through places, and inside of what they hold, compressed or encoded
 */
export function searchFor(
  needles: readonly Needle[],
  depth: Depth = SHALLOW,
): (places: AsyncIterable<Place>) => Promise<readonly Hit[]> {
  const window = Math.min(...needles.map(({ bytes }) => bytes.length));
  const steps = new Uint8Array(2 ** (8 * GRAM)).fill(window - GRAM + 1);
  const ending = new Map<number, Needle[]>();
  for (const needle of needles) {
    for (let last = GRAM - 1; last < window; last += 1) {
      const gram = needle.bytes.readUIntBE(last - GRAM + 1, GRAM);
      steps[gram] = Math.min(steps[gram] ?? 0, window - 1 - last);
      if (last === window - 1) ending.set(gram, [...(ending.get(gram) ?? []), needle]);
    }
  }

  const scan = (bytes: Uint8Array, found: Set<Needle>): void => {
    for (let last = window - 1; last < bytes.length; ) {
      const gram = ((bytes[last - 2] ?? 0) << 16) | ((bytes[last - 1] ?? 0) << 8) | (bytes[last] ?? 0);
      const step = steps[gram] ?? 1;
      last += Math.max(step, 1);
      if (step > 0) continue;
      const start = last - window;
      for (const needle of ending.get(gram) ?? []) {
        const end = start + needle.bytes.length;
        if (end <= bytes.length && needle.bytes.equals(bytes.subarray(start, end))) found.add(needle);
      }
    }
  };
  return async (places) => {
    const hits: Hit[] = [];
    for await (const { name, bytes } of openedPlaces(places, depth)) {
      const found = new Set<Needle>();
      scan(bytes, found);
      for (const { canary, form } of found) {
        hits.push({
          place: name,
          canary: canary.name,
          form,
          belongs: [...canary.homes, ...(canary.givenTo ?? [])].includes(name),
        });
      }
    }
    return hits;
  };
}
