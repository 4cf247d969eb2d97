import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NpmPackage } from "../sbom/npm.ts";

const LICENCE = /^(?:licen[cs]e|notice|copying|copyright)/i;

/** The licences of the packages that are in a toolkit's modules, as their authors want them to be carried along. */
export function thirdParty(projectDir: string, packages: readonly NpmPackage[]): Uint8Array {
  const parts = packages.map(({ folder, name, version, licence }) => {
    const files = readdirSync(join(projectDir, folder))
      .filter((file) => LICENCE.test(file))
      .sort();
    const texts = files.map((file) => readFileSync(join(projectDir, folder, file), "utf8").trim());
    return [`${name} ${version}: ${licence ?? "no licence is named"}`, ...texts].join("\n\n");
  });
  return Buffer.from(`${parts.join(`\n\n${"=".repeat(78)}\n\n`)}\n`);
}
