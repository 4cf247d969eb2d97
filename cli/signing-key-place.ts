import { resolve } from "node:path";
import type { SigningKeyPlace } from "../stacks/host/trust/signing-key.ts";
import type { CommandContext } from "./command.ts";
import { needed } from "./needed.ts";

/**
 * Where an option says that a key is that signs: `root-device`, an age file with `--passphrase-file`, or this host without either.
 * @throws CLI_USAGE where one of the two is missing
 */
export function signingKeyPlace(
  { io, options: { passphraseFile } }: CommandContext,
  option: string,
  value: string | boolean | undefined,
): SigningKeyPlace {
  if (value === "root-device") return value;
  if (value === undefined && passphraseFile === undefined) return "here";
  const [file, secret] = [needed(value, option), needed(passphraseFile, "--passphrase-file")];
  return { file: resolve(io.cwd, file), passphraseFile: resolve(io.cwd, secret) };
}

/** That place in a word, as signed files say it. */
export function placeWord(place: SigningKeyPlace): "host" | "age-file" | "root-device" {
  if (place === "here") return "host";
  return place === "root-device" ? place : "age-file";
}
