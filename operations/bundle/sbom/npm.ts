import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PackageURL } from "packageurl-js";
import { z } from "zod";
import type { Part } from "./part.ts";

/** A package of npm as it is installed in the project. */
export interface NpmPackage {
  /** Below the project, such as `node_modules/zod`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** As its `package.json` says it: an SPDX expression, mostly. */
  readonly licence: string | undefined;
  /** As the lock file pins it, hex. */
  readonly sha512: string | undefined;
}

const FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional().catch(undefined) });
const lock = z.object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) });

/**
 * The packages that files of the project are from, each once, ascending by folder.
 * @param inputs - paths below the project
 */
export function npmPackages(projectDir: string, inputs: readonly string[]): readonly NpmPackage[] {
  const folders = new Set(inputs.flatMap((path) => FOLDER.exec(path)?.[0] ?? []));
  if (folders.size === 0) return [];
  const { packages } = lock.parse(JSON.parse(readFileSync(join(projectDir, "package-lock.json"), "utf8")));
  return [...folders].sort().flatMap((folder) => {
    const file = join(projectDir, folder, "package.json");
    // A folder without one is part of the package around it.
    if (!existsSync(file)) return [];
    const { name, version, license } = manifest.parse(JSON.parse(readFileSync(file, "utf8")));
    return [{ folder, name, version, licence: license, sha512: sha512Of(packages[folder]?.integrity) }];
  });
}

/** Packages as parts; the same release twice is one part. */
export function npmParts(packages: readonly NpmPackage[]): readonly Part[] {
  return packages.map(({ name, version, licence, sha512 }) => {
    const [group, own] = name.startsWith("@") ? name.split("/") : [undefined, name];
    return {
      ...{ type: "library", group, name: own ?? name, version, licence },
      purl: new PackageURL("npm", group, own, version, undefined, undefined).toString(),
      hash: sha512 === undefined ? undefined : { algorithm: "SHA-512", hex: sha512 },
    };
  });
}

function sha512Of(integrity: string | undefined): string | undefined {
  const [, base64] = /(?:^|\s)sha512-([A-Za-z0-9+/=]+)/.exec(integrity ?? "") ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("hex");
}
