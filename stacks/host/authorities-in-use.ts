import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { LEAF_CLASSES } from "../../certs/names.ts";

/** An authority by its name in transcripts, and by that of its files. */
export interface AuthorityInUse {
  /** `root`, a class of leaves, or `maker-<maker>`. */
  readonly id: string;
  /** `root`, a class of leaves, or `makers/<maker>`. */
  readonly name: string;
}

/** Makers that the deployment has an authority for. @param dir the authorities' folder */
export function makersIn(dir: string): readonly string[] {
  const folder = join(dir, "makers");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => (file.endsWith(".crt") ? [file.slice(0, -".crt".length)] : []));
}

/** The authorities that are in use, the root first. @param dir the authorities' folder */
export function authoritiesInUse(dir: string): readonly AuthorityInUse[] {
  const names = ["root", ...LEAF_CLASSES, ...makersIn(dir).map((maker) => `makers/${maker}`)];
  return names.filter((name) => existsSync(join(dir, `${name}.crt`))).map((name) => ({ id: transcriptId(name), name }));
}

/** The name in transcripts of the authority whose files have this name. */
export function transcriptId(name: string): string {
  return name.replace("makers/", "maker-");
}
