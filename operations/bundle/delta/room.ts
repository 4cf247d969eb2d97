import { layoutOf } from "../format/layout.ts";
import type { Manifest } from "../format/manifest.ts";
import type { DeltaManifests, Ways } from "./ways.ts";

/**
 * Bytes of disk that it takes to rebuild a bundle, beside the old one and the delta: the bundle, what of it is compressed anew, what the
 * delta carries, unpacked, and what of the old one is set aside at once at most.
 */
export function roomToRebuild({ old, delta, full }: DeltaManifests, ways: Ways): number {
  const made = [
    ...full.segments.filter((_, index) => ways.sameSegments[index] === undefined),
    ...full.plain.filter((_, index) => ways.samePlain[index] === undefined),
  ];
  return layoutOf(full).bytes + sum(made) + sum(delta.blobs) + setAside(old, ways);
}

/** What `BaseReader` does for these ways, without the bytes. */
function setAside({ blobs, plain }: Manifest, { uses, sources }: Ways): number {
  const sizes = new Map([...plain, ...blobs].map(({ digest, bytes }) => [digest, bytes]));
  const inPlain = new Set(plain.map(({ digest }) => digest));
  const passing = blobs.filter(({ digest }) => uses.has(digest)).map(({ digest }) => digest);
  const left = new Map(uses);
  const aside = new Set<string>();
  let [bytes, most] = [0, 0];
  const put = (digest: string): void => {
    aside.add(digest);
    bytes += sizes.get(digest) ?? 0;
    most = Math.max(most, bytes);
  };
  for (const { from, isWhole } of sources) {
    const uses = left.get(from) ?? 1;
    if (!aside.has(from)) {
      if (inPlain.has(from)) put(from);
      else {
        for (const passed of passing.splice(0, passing.indexOf(from))) put(passed);
        passing.shift();
        if (!isWhole || uses > 1) put(from);
      }
    }
    left.set(from, uses - 1);
    if (uses === 1 && aside.delete(from)) bytes -= sizes.get(from) ?? 0;
  }
  return most;
}

function sum(all: readonly { readonly bytes: number }[]): number {
  return all.reduce((total, { bytes }) => total + bytes, 0);
}
