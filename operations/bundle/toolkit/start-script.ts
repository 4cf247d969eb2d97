import type { BlobSource } from "../format/write.ts";
import type { Runtime, ToolkitPlatform } from "./layout.ts";
import { TOOLKIT_FOLDER } from "./layout.ts";
import type { ToolkitFile } from "./toolkit-file.ts";

/** Name of the script in a bundle. */
export const START_SCRIPT = "start.sh";

/** What `start.sh` is made for. */
export interface StartRequest {
  readonly version: string;
  readonly platform: ToolkitPlatform;
  readonly files: readonly ToolkitFile[];
  readonly layers: readonly BlobSource[];
  readonly runtime: Runtime["layers"];
  /** Entry of the archive that unpacks zstd, and its digest. */
  readonly unzstd: { readonly path: string; readonly digest: string };
}

/**
 * `start.sh`: unpacks the toolkit of the bundle that it lies in with a POSIX shell, tar and coreutils or busybox, and runs it. The first
 * segment begins with the blobs that its lists name, in their order: files, each blob once, then layers.
 */
export function renderStart({ version, platform, files, layers, runtime, unzstd }: StartRequest): string {
  const rows = [...rowsOf(files), ...layers.map(({ digest, bytes }, i) => row(bytes, digest, "layer", [`layer-${i}`]))];
  const takes = runtime.flatMap(({ digest, take }) => {
    const layer = `layer-${layers.findIndex((one) => one.digest === digest)}`;
    return take.map(({ from, to, executable }) => [layer, executable ? "0755" : "0644", from, to].join(" "));
  });
  const total = [
    ...new Map([...files.map(({ source }) => source), ...layers].map((one) => [one.digest, one.bytes])).values(),
  ];
  return SCRIPT.replace("@VERSION@", version)
    .replace("@MACHINE@", platform.machine)
    .replace("@UNZSTD@", unzstd.path)
    .replace("@UNZSTD_SUM@", hexOf(unzstd.digest))
    .replace("@BYTES@", String(total.reduce((sum, bytes) => sum + bytes, 0)))
    .replace("@BLOBS@", rows.join("\n"))
    .replace("@TAKES@", takes.join("\n"));
}

/** A line for each blob, with every path that has it. */
function rowsOf(files: readonly ToolkitFile[]): readonly string[] {
  const same = Map.groupBy(files, ({ source }) => source.digest);
  return [...same.values()].map((group) => {
    const [{ source, executable } = { source: undefined, executable: false }] = group;
    const paths = group.map(({ path }) => path.slice(TOOLKIT_FOLDER.length + 1));
    return row(source?.bytes ?? 0, source?.digest ?? "", executable ? "0755" : "0644", paths);
  });
}

function row(bytes: number, digest: string, mode: string, paths: readonly string[]): string {
  return [bytes, hexOf(digest), mode, ...paths].join(" ");
}

function hexOf(digest: string): string {
  return digest.replace("sha256:", "");
}

const SCRIPT = `#!/bin/sh
# Unpacks the command line that this bundle carries, and runs it:
#   sh start.sh site.tkb [--to FOLDER] [COMMAND ...]     (default: ./trustkern-VERSION, and "bundle verify site.tkb")
# What it unpacks is compared with the lists below. Who made the lists it cannot know: check the signature over SHA256SUMS with
# openssl first, then this script with sha256sum, as docs/guides/bundle-trust.md shows. Nothing else of the bundle is looked at here.
set -eu
version=@VERSION@
machine=@MACHINE@
bytes=@BYTES@
fail() { echo "start.sh: $1" >&2; exit 1; }
blobs() { cat <<'END'
@BLOBS@
END
}
takes() { cat <<'END'
@TAKES@
END
}
[ $# -ge 1 ] && [ -f "$1" ] || fail "name the bundle: sh start.sh site.tkb [--to FOLDER] [COMMAND ...]"
[ "$(uname -sm)" = "Linux $machine" ] || fail "this bundle is for Linux $machine, and this is $(uname -sm)"
bundle=$1 to=./trustkern-$version
shift
if [ "\${1-}" = --to ]; then
  [ -n "\${2-}" ] || fail "--to needs a folder"
  to=$2
  shift 2
fi
[ -z "$(ls -A "$to" 2>/dev/null || true)" ] && [ ! -f "$to" ] || fail "$to is there already: take it away, or name another with --to"
entry() {
  case $bundle in
  *.001) cat "\${bundle%.001}".[0-9][0-9][0-9] | tar -xOf - "$1" ;;
  *) tar -xOf "$bundle" "$1" ;;
  esac
}
# A name that can be guessed: whatever is there by that name was made by somebody else, and nobody else gets into what is made here.
stage=$to.partial-$$ mask=$(umask)
mkdir -p "$(dirname "$to")" || fail "cannot write beside $to"
umask 077
mkdir "$stage" || fail "cannot write beside $to"
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
umask 022
mkdir "$stage/toolkit" "$stage/tree"
free=$(df -Pk "$stage" | { read -r _ && read -r _ _ _ kib _ && echo "$kib"; })
[ "$((free + 0))" -ge $((bytes / 512)) ] || fail "unpacking needs $((bytes / 512)) KiB beside $to, and $free are free"
entry @UNZSTD@ >"$stage/unzstd" || fail "cannot read $bundle"
echo "@UNZSTD_SUM@  $stage/unzstd" | sha256sum -c >/dev/null 2>&1 || fail "$bundle is damaged, or not the one of this script"
chmod 0700 "$stage/unzstd"
entry segments/0001.zst | "$stage/unzstd" | head -c "$bytes" >"$stage/blobs" || fail "cannot unpack $bundle"
blobs | {
  at=1
  while read -r size sum mode path more; do
    target=$stage/toolkit/$path
    [ "$mode" != layer ] || target=$stage/$path
    mkdir -p "\${target%/*}"
    tail -c "+$at" "$stage/blobs" | head -c "$size" >"$target"
    at=$((at + size))
    echo "$sum  $target" >>"$stage/sums"
    [ "$mode" = layer ] || chmod "$mode" "$target"
    for other in $more; do
      mkdir -p "$stage/toolkit/\${other%/*}"
      ln "$target" "$stage/toolkit/$other" 2>/dev/null || cp -p "$target" "$stage/toolkit/$other"
    done
  done
}
rm "$stage/blobs"
sha256sum -c "$stage/sums" >/dev/null 2>&1 || fail "$bundle is damaged, or not the one of this script"
takes | while read -r layer mode from path; do
  mkdir -p "$stage/toolkit/\${path%/*}"
  tar -xf "$stage/$layer" -C "$stage/tree" "$from"
  mv "$stage/tree/$from" "$stage/toolkit/$path"
  chmod "$mode" "$stage/toolkit/$path"
done
[ ! -d "$to" ] || rmdir "$to"
mv "$stage/toolkit" "$to"
rm -rf "$stage"
trap - EXIT
umask "$mask"
[ $# -gt 0 ] || set -- bundle verify "$bundle"
exec "$to/trustkern" "$@"
`;
