import { resolve } from "node:path";
import pkg from "../package.json" with { type: "json" };
import type { RootFile } from "../stacks/host/key-ceremony.ts";
import type { NamedCeremony } from "../stacks/host/rotation/people.ts";
import type { CommandContext } from "./command.ts";
import { needed } from "./needed.ts";

/** Programs and their versions, for a transcript. */
export const VERSIONS = {
  trustkern: pkg.version,
  node: process.versions.node,
  openssl: process.versions.openssl,
} as const;

/** Options of a command that makes an authority's key, beside those that say where the key goes. */
export const PEOPLE_OPTIONS: readonly (readonly [flags: string, meaning: string])[] = [
  ["--conductor <name>", "who conducts it (default: the user)"],
  ["--witnesses <names>", "who watches, separated by commas"],
];

/** Options of a command that makes a root's key. */
export const ROOT_KEY_OPTIONS: readonly (readonly [flags: string, meaning: string])[] = [
  ["--root-key <file>", "where the new root's key goes, encrypted with age, with pki.root.kind age"],
  ["--passphrase-file <file>", "the passphrase of that file, one line"],
  ["--accept-p256-root", "take a root on P-256 from a device that has nothing longer"],
];

/**
 * The ceremony that a command line says.
 * @throws CLI_USAGE
 */
export function namedCeremony({ io, options }: CommandContext): NamedCeremony {
  const { conductor, witnesses, rootKey } = options;
  const file = (flag: string, value: string | boolean | undefined): string => resolve(io.cwd, needed(value, flag));
  const rootFile: RootFile | undefined =
    rootKey === undefined && options.passphraseFile === undefined
      ? undefined
      : { file: file("--root-key", rootKey), passphraseFile: file("--passphrase-file", options.passphraseFile) };
  return {
    rootFile,
    acceptP256Root: options.acceptP256Root === true,
    versions: VERSIONS,
    conductor: typeof conductor === "string" ? conductor : undefined,
    witnesses: typeof witnesses === "string" ? namesIn(witnesses) : undefined,
    user: io.user(),
  };
}

/** Names separated by commas. */
export function namesIn(value: string | boolean | undefined): readonly string[] {
  if (typeof value !== "string") return [];
  return value
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
