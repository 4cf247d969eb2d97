import { join } from "node:path";
import { type BundleBench, type Measure, shell, sizeOf, timed } from "./bundle.ts";

/** What others make of the same images: archives of `docker save`, and an OCI layout that skopeo copies. */
export async function dockerArchives({ folder, references }: BundleBench): Promise<readonly Measure[]> {
  const at = (name: string): string => join(folder, name);
  const save = async (what: string, program: string, file: string): Promise<Measure> => {
    const line = `out=$1; shift; docker save "$@" | ${program} > "$out"`;
    const seconds = await timed(() => shell(line, at(file), ...references));
    return { what, seconds, bytes: sizeOf(at(file)) };
  };
  const gzip = await save("`docker save \\| gzip`", "gzip", "images.tar.gz");
  const zstd = await save("`docker save \\| zstd`", "zstd --quiet", "images.tar.zst");
  // It asks no DOCKER_HOST by itself.
  const engine = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  const copy =
    'host=$1; out=$2; shift 2; for image; do skopeo copy --quiet --src-daemon-host "$host" "docker-daemon:$image" "oci:$out:$(basename "$image")" || exit; done';
  const skopeo = await timed(() => shell(copy, engine, at("layout"), ...references));
  const layout = at("layout.tar");
  await shell('tar -C "$1" -cf "$2" layout', folder, layout);
  return [gzip, zstd, { what: "`skopeo copy` of each into an OCI layout", seconds: skopeo, bytes: sizeOf(layout) }];
}
