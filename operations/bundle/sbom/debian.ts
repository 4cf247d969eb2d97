import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { PackageURL } from "packageurl-js";
import { RELEASE_VERSION } from "../../images/build/debian-mirror.ts";
import type { Layer } from "../../images/build/layer.ts";
import { PACKAGE_RECORDS } from "../../images/build/package-records.ts";
import { eachEntry } from "../../images/build/tar-entries.ts";
import { sbomErrors } from "./errors.ts";
import type { Part } from "./part.ts";

/**
 * The Debian packages of a layer, by the records that it has of them.
 * @throws SBOM_UNKNOWN_PARTS for a layer without records
 */
export async function debianParts(layer: Layer): Promise<readonly Part[]> {
  const records: string[] = [];
  await eachEntry(createReadStream(layer.file), async (entry) => {
    const { name, type } = entry.header;
    if (type === "file" && name.startsWith(`${PACKAGE_RECORDS}/`)) records.push((await buffer(entry)).toString("utf8"));
  });
  if (records.length === 0)
    throw sbomErrors.error("SBOM_UNKNOWN_PARTS", `the layer ${layer.diffId} has no records of its Debian packages`);
  return records.map(partOf);
}

/** A control record (deb-control(5)) as a part. */
export function partOf(record: string): Part {
  const field = (name: string): string | undefined => new RegExp(`^${name}: *(.+)$`, "m").exec(record)?.[1]?.trim();
  const [name, version, arch] = [field("Package"), field("Version"), field("Architecture")];
  if (name === undefined || version === undefined || arch === undefined)
    throw sbomErrors.error(
      "SBOM_UNKNOWN_PARTS",
      "a record of a Debian package lacks its name, version or architecture",
    );
  // `Source: name (version)` where they differ: faults are listed by source packages.
  const [, source, sourceVersion] = /^(\S+)(?: \((\S+)\))?$/.exec(field("Source") ?? "") ?? [];
  const upstream = source === undefined ? {} : { upstream: sourceVersion ? `${source}@${sourceVersion}` : source };
  const qualifiers = { arch, distro: `debian-${RELEASE_VERSION}`, ...upstream };
  return {
    ...{ type: "library", name, version },
    purl: new PackageURL("deb", "debian", name, version, qualifiers, undefined).toString(),
  };
}
