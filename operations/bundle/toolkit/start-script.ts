import type { BlobSource } from "../format/write.ts";
import { SITES_DIR } from "../trust/site.ts";
import type { Runtime, ToolkitPlatform } from "./layout.ts";
import { TOOLKIT_FOLDER } from "./layout.ts";
import type { ToolkitFile } from "./toolkit-file.ts";

/** Name of the script in a bundle. */
export const START_SCRIPT = "start.sh";

/** What `start.sh` is made for. */
export interface StartRequest {
  readonly version: string;
  /** Of the bundle, whose site lies below that name. */
  readonly deployment: string;
  readonly platform: ToolkitPlatform;
  readonly files: readonly ToolkitFile[];
  readonly layers: readonly BlobSource[];
  readonly runtime: Runtime["layers"];
  /** Entry of the archive that unpacks zstd, and its digest. */
  readonly unzstd: { readonly path: string; readonly digest: string; readonly bytes: number };
}

/** What a file takes on a disk, in whole blocks. */
const BLOCK = 4096;
/** The lists, and folders. */
const LITTLE = 524_288;

/**
 * `start.sh`: unpacks the toolkit of the bundle that it lies in with a POSIX shell, tar and coreutils or busybox, and runs it; one that is unpacked already is compared and taken. The first
 * segment begins with the blobs that its list names, in their order: files, each blob once, then layers. Nothing is written twice: what
 * it needs of a disk is what lies there afterwards, and the program that unpacks.
 */
export function renderStart({ version, deployment, platform, files, layers, runtime, unzstd }: StartRequest): string {
  const takes = new Map(runtime.map(({ digest, take }) => [digest, take]));
  const rows = [
    ...rowsOf(files),
    ...layers.flatMap(({ digest, bytes }) => [
      ["layer", bytes, hexOf(digest)].join(" "),
      ...(takes.get(digest) ?? []).map((one) =>
        ["take", hexOf(one.digest), one.executable ? "0755" : "0644", one.from, one.to].join(" "),
      ),
    ]),
  ];
  const sizes = [
    ...new Map(files.map(({ source }) => [source.digest, source.bytes])).values(),
    ...runtime.flatMap(({ take }) => take.map(({ bytes }) => bytes)),
    unzstd.bytes,
  ];
  const room = sizes.reduce((sum, bytes) => sum + Math.ceil(bytes / BLOCK) * BLOCK, LITTLE);
  return SCRIPT.replace("@VERSION@", version)
    .replace("@MACHINE@", platform.machine)
    .replace("@UNZSTD@", unzstd.path)
    .replace("@UNZSTD_SUM@", hexOf(unzstd.digest))
    .replace("@ROOM@", String(Math.ceil(room / 1024)))
    .replace("@SITE@", `${SITES_DIR}/${deployment}`)
    .replace("@LIST@", rows.join("\n"));
}

/** A line for each blob, with every path that has it: with the rights of a site's own files, so that an install links them. */
function rowsOf(files: readonly ToolkitFile[]): readonly string[] {
  const same = Map.groupBy(files, ({ source }) => source.digest);
  return [...same.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const paths = group.map(({ path }) => path.slice(TOOLKIT_FOLDER.length + 1));
    const { source, executable } = first;
    return ["file", source.bytes, hexOf(source.digest), executable ? "0555" : "0444", ...paths].join(" ");
  });
}

function hexOf(digest: string): string {
  return digest.replace("sha256:", "");
}

const SCRIPT = `#!/bin/sh
# Unpacks the command line that this bundle carries, or takes it where it is unpacked already, and runs it:
#   sh start.sh site.tkb [--to FOLDER] [COMMAND ...]     (default: ./trustkern-VERSION; without a command it says what comes next)
# What it unpacks is compared with the list below. Who made the list it cannot know: check the signature over SHA256SUMS with
# openssl first, then this script with sha256sum, as docs/guides/bundle-trust.md shows. Nothing else of the bundle is looked at here.
set -eu
version=@VERSION@
machine=@MACHINE@
kib=@ROOM@
fail() { echo "start.sh: $1" >&2; exit 1; }
list() { cat <<'END'
@LIST@
END
}
[ $# -ge 1 ] && [ -f "$1" ] || fail "name the bundle: sh start.sh site.tkb [--to FOLDER] [COMMAND ...]"
[ "$(head -c 15 "$1" | tr -d '\\0')" = signatures.json ] || fail "$1 is no bundle: name a .tkb, or of parts the first, .tkb.001"
[ "$(uname -sm)" = "Linux $machine" ] || fail "this bundle is for Linux $machine, and this is $(uname -sm)"
bundle=$1 to=./trustkern-$version parts=
shift
if [ "\${1-}" = --to ]; then
  [ -n "\${2-}" ] || fail "--to needs a folder"
  to=$2
  shift 2
fi
case $bundle in
*.001)
  n=0
  for part in "\${bundle%.001}".[0-9][0-9][0-9]; do
    n=$((n + 1))
    wanted=\${bundle%.001}.$(printf %03d $n)
    [ "$part" = "$wanted" ] || fail "$wanted is missing: all parts have to lie in one folder"
  done
  parts=", or it has more parts than $n: $part is the last one here"
  ;;
esac
entry() {
  case $bundle in
  *.001) cat "\${bundle%.001}".[0-9][0-9][0-9] | tar -xOf - "$1" ;;
  *) tar -xOf "$bundle" "$1" ;;
  esac
}
sums() {
  list | while read -r kind a b c rest; do
    case $kind in
    file) for path in $rest; do echo "$b  $path"; done ;;
    take) echo "$a  $rest" ;;
    esac
  done
}
# Whether the folder has every file as it would be unpacked, and nothing else, and nobody but who runs this can write in it.
same() (
  [ ! -L "$to" ] && cd "$to" 2>/dev/null || return 1
  [ -z "$(find . ! -type d ! -type f -o ! -user "$(id -u)" -o -perm -020 -o -perm -002)" ] || return 1
  [ "$(find . -type f | wc -l)" -eq "$(sums | wc -l)" ] && sums | sha256sum -c >/dev/null 2>&1
)
unpack() {
  # A name that can be guessed: whatever is there by that name was made by somebody else, and nobody else gets into what is made here.
  stage=$to.partial-$$ mask=$(umask)
  mkdir -p "$(dirname "$to")" || fail "cannot write beside $to"
  umask 077
  mkdir "$stage" || fail "cannot write beside $to"
  trap 'rm -rf "$stage"' EXIT
  trap 'exit 130' INT TERM HUP
  umask 022
  mkdir "$stage/toolkit"
  free=$(df -Pk "$stage" | { read -r _ && read -r _ _ _ free _ && echo "$free"; })
  [ "$((free + 0))" -ge "$kib" ] || fail "unpacking needs $kib KiB beside $to, and $free are free"
  entry @UNZSTD@ 2>/dev/null >"$stage/unzstd" || fail "cannot read $bundle: it is cut short$parts"
  echo "@UNZSTD_SUM@  $stage/unzstd" | sha256sum -c >/dev/null 2>&1 || fail "$bundle is damaged, or not the one of this script"
  chmod 0700 "$stage/unzstd"
  list >"$stage/list"
  # It writes what is listed and nothing else, and ends with an error where bytes are not what the list says.
  entry segments/0001.zst 2>/dev/null | "$stage/unzstd" -list "$stage/list" -to "$stage/toolkit" ||
    fail "cannot unpack $bundle: it is damaged, or not the one of this script, or the disk is full$parts"
  number() { ls -di "$1" | { read -r inode _ && echo "$inode"; }; }
  mine=$(number "$stage/toolkit")
  [ ! -d "$to" ] || rmdir "$to"
  mv "$stage/toolkit" "$to"
  # Where somebody has made a folder or a link by that name meanwhile, it went into that one, and what lies there is theirs.
  [ "$(number "$to")" = "$mine" ] || fail "somebody else made $to meanwhile: nothing of it is run; name a folder that only you may write in with --to"
  rm -rf "$stage"
  trap - EXIT
  umask "$mask"
}
if [ -z "$(ls -A "$to" 2>/dev/null || true)" ] && [ ! -f "$to" ]; then
  unpack
else
  same || fail "$to is there already, and is not what this bundle has: take it away, or name another with --to"
fi
[ $# -eq 0 ] || exec "$to/trustkern" "$@"
cat <<END
The command line is in $to; nothing was installed, and no signature was looked at.
Next, with the root of trust, and its fingerprint as it was given in person:
  $to/trustkern bundle trust install --root root-1.json --fingerprint sha256:... --site @SITE@
  $to/trustkern bundle verify $bundle
  $to/trustkern bundle install $bundle
END
`;
