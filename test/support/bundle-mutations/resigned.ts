import type { Manifest } from "../../../operations/bundle/format/manifest.ts";
import type { Draw } from "../weakenings/draw.ts";
import { archiveWith, manifestIn, sumsOf } from "./forgeries.ts";
import type { Material, Mutate } from "./operators.ts";
import type { Subject } from "./subject.ts";

type Change = (manifest: Manifest, draw: Draw) => object;

const HEADER = 512;
/** Of no bytes: it is at its place, and as it has to be. */
const EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MISSING = `sha256:${"0".repeat(64)}`;
/** They stand behind every path of the bundle that is mutated: it is not their order that is refused. */
const PATHS = [
  "zz/../x",
  "zz//x",
  "zz/",
  "zz/./x",
  "zz\\x",
  "zz\0x",
  "zz\n",
  "zz x",
  "zz\u202e",
  "zzſ",
  "zz/..x",
  `zz${"/x".repeat(16)}`,
];
const PAIRS = [
  ["zz", "zz"],
  ["zzA", "zza"],
  ["zzA/x", "zza/y"],
  ["zzA", "zza/x"],
  ["zz", "zz/x"],
  ["zzb", "zza"],
] as const;

/** What no manifest may say, whoever signs it. */
const BROKEN: Readonly<Record<string, Change>> = {
  "a member more": (_, draw) => ({ [draw.pick(["more", "Schema", "version"])]: 1 }),
  "another tenant": (_, draw) => ({ tenant: draw.pick(["other", "demo-2"]) }),
  "another deployment": (_, draw) => ({ deployment: `d${draw.below(100)}` }),
  "another machine": ({ toolkit }, draw) => ({
    toolkit: { ...toolkit, platform: draw.pick(["darwin-arm64", "linux-x86", ""]) },
  }),
  "a path of a file": ({ files }, draw) => ({ files: withPaths(files, [draw.pick(PATHS)]) }),
  "two paths of files": ({ files }, draw) => ({ files: withPaths(files, draw.pick(PAIRS)) }),
  "a content that is not there": ({ files, images }, draw) =>
    draw.pick<() => object>([
      () => ({ files: one(files, draw, (file) => ({ ...file, digest: MISSING })) }),
      () => ({ images: one(images, draw, (image) => ({ ...image, config: MISSING })) }),
      () => ({ images: one(images, draw, (image) => ({ ...image, layers: [...image.layers, MISSING] })) }),
    ])(),
  "a content that nothing names": ({ blobs, segments }) => ({
    blobs: [...blobs, { digest: EMPTY, bytes: 0 }],
    segments: segments.with(-1, changed(segments.at(-1), { blobs: (segments.at(-1)?.blobs ?? 0) + 1 })),
  }),
  "an image": ({ images }, draw) => ({
    images: draw.pick<() => readonly object[]>([
      () => images.toReversed(),
      () => one(images, draw, (image) => ({ ...image, layers: [] })),
      () => one(images, draw, (image) => ({ ...image, reference: draw.pick(["one", "a/b:", "../x:1", "A:1"]) })),
      () => images.map((image) => ({ ...image, reference: "trustkern/one:1" })),
      () => images.map((image, index) => ({ ...image, reference: `trustkern/one:${index}` })),
      () => images.map((image) => ({ ...image, name: "one" })),
    ])(),
  }),
  "two contents in each other's place": ({ blobs }, draw) => {
    const at = draw.below(blobs.length - 1);
    const [a, b] = [blobs[at], blobs[at + 1]];
    return { blobs: blobs.with(at, changed(a, { digest: b?.digest })).with(at + 1, changed(b, { digest: a?.digest })) };
  },
  "the size of a content": ({ blobs }, draw) => ({
    blobs: one(blobs, draw, (blob) => ({ ...blob, bytes: draw.pick([blob.bytes + 1, -1, 0.5, 2 ** 39]) })),
  }),
  "two sizes that come to the same": ({ blobs }) => ({
    blobs: blobs.map((blob, at) => (at > 1 ? blob : { ...blob, bytes: blob.bytes + (at === 0 ? -1 : 1) })),
  }),
  "a content twice": ({ blobs }, draw) => ({ blobs: one(blobs, draw, () => blobs[draw.below(2)] ?? {}, 2) }),
  "a segment": ({ segments }, draw) => ({
    segments: one(segments, draw, (segment) => ({
      ...segment,
      ...draw.pick<object>([
        { rawBytes: segment.rawBytes + 1 },
        { rawBytes: segment.rawBytes - 1 },
        { blobs: segment.blobs + 1 },
        { blobs: segment.blobs - 1 },
        { blobs: 0 },
        { bytes: segment.bytes + 1 },
        { bytes: 0 },
        { digest: MISSING },
      ]),
    })),
  }),
  "a plain file": ({ plain }, draw) => ({
    plain: one(plain, draw, (file) => ({
      ...file,
      ...draw.pick<object>([
        { digest: MISSING },
        { bytes: file.bytes + 1 },
        { path: draw.pick(["manifest.json", "SHA256SUMS", "segments/0001.zst", "../x", `${file.path}x`]) },
        { executable: !file.executable },
      ]),
    })),
  }),
};

/** Mutations by the site's own signer, or somebody who has the key: the signatures hold, and what is signed breaks a rule. */
export function resigned({ slotFor }: Pick<Subject, "slotFor">): readonly (readonly [string, Mutate])[] {
  return Object.entries(BROKEN).map(([name, change]) => {
    const mutate: Mutate = (material, draw) => {
      const manifest = manifestIn(material);
      return signedAnew(material, { ...manifest, ...change(manifest, draw) }, slotFor);
    };
    return [name, mutate];
  });
}

/** The archive with another manifest, and signatures on that. */
export async function signedAnew(material: Material, manifest: Manifest, slotFor: Subject["slotFor"]): Promise<Buffer> {
  const [, , sumsAt = 0, restAt = 0] = material.boundaries;
  const sums = sumsOf(manifest) ?? material.good.subarray(sumsAt + HEADER, restAt);
  const bytes = await archiveWith(material, manifest);
  bytes.set(await slotFor(manifest, sums), HEADER);
  return bytes;
}

function withPaths(files: Manifest["files"], paths: readonly string[]): readonly object[] {
  return [...files, ...paths.map((path) => ({ ...files[0], path }))];
}

/** The list with one of it, from `first` on, changed. */
function one<T>(list: readonly T[], draw: Draw, change: (value: T) => object, first = 0): readonly object[] {
  const at = first + draw.below(list.length - first);
  return list.map((value, index) => (index === at ? change(value) : (value as object)));
}

function changed<T extends object>(value: T | undefined, members: object): T {
  return { ...value, ...members } as T;
}
