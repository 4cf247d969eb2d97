import type { LayerEntries, LayerEntry } from "./layer.ts";

/** Folder of an image with one control record for each Debian package in it, where scanners look for images without dpkg. */
export const PACKAGE_RECORDS = "var/lib/dpkg/status.d";

/** Where dpkg has the list of a package's files. */
const LISTS = "var/lib/dpkg/info";

const RECORD = new RegExp(`^${PACKAGE_RECORDS}/([a-z0-9][a-z0-9+.-]+)$`);
const LIST = new RegExp(`^${LISTS}/([a-z0-9][a-z0-9+.-]+)\\.list$`);

/**
 * Hook of mmdebstrap after packages were unpacked: a record and a list of each. Nothing was configured, thus dpkg has none, and a
 * record is what the package says of itself.
 */
export const KEEP_RECORDS = [
  "set -e",
  `mkdir -p "$1"/${PACKAGE_RECORDS} "$1"/${LISTS}`,
  'for deb in $MMDEBSTRAP_ESSENTIAL; do name=$(dpkg-deb --field "$1$deb" Package)',
  `dpkg-deb --field "$1$deb" >"$1/${PACKAGE_RECORDS}/$name"`,
  `dpkg-deb --fsys-tarfile "$1$deb" | tar -t >"$1/${LISTS}/$name.list"`,
  "done",
].join("; ");

/** Whether a path is a record or a list. */
export function isPackageRecord(path: string): boolean {
  return RECORD.test(path) || LIST.test(path);
}

/**
 * Which records an image has: those of packages of which it has more than the licence, so that nobody looks for faults of
 * programs that are not there.
 * @param records - what {@link isPackageRecord} takes, by path
 * @param kept - every path of a package that became part of the image
 */
export function recordsOf(records: ReadonlyMap<string, Buffer>, kept: ReadonlySet<string>): LayerEntries {
  const present = new Map<string, LayerEntry>();
  for (const [path, content] of records) {
    const name = RECORD.exec(path)?.[1];
    const list = name === undefined ? undefined : records.get(`${LISTS}/${name}.list`);
    if (list && pathsIn(list).some((file) => kept.has(file) && !file.startsWith("usr/share/doc/")))
      present.set(path, { kind: "file", content });
  }
  return present;
}

/** Packages of bookworm have files below `lib/` and the like, which are links to folders of `usr/`. */
function pathsIn(list: Buffer): readonly string[] {
  return list
    .toString("utf8")
    .split("\n")
    .map((line) => line.replace(/^\.?\//, "").replace(/^(?=(?:bin|sbin|lib|lib32|lib64|libx32)\/)/, "usr/"));
}
