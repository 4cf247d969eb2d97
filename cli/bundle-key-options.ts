import type { CommandOption } from "./command.ts";

const SEPARATOR = "\n";

/** How several values of one option become one text; {@link several} takes it apart again. */
export function joinValues(value: string, before: string | undefined): string {
  return before === undefined ? value : `${before}${SEPARATOR}${value}`;
}

/** The values of an option that may be given several times. */
export function several(option: string | boolean | undefined): readonly string[] {
  return typeof option === "string" ? option.split(SEPARATOR) : [];
}

/** Options of a command that signs what a bundle is trusted by. */
export const BUNDLE_KEY_OPTIONS: readonly CommandOption[] = [
  ["--key <place>", "age file, pkcs11: or tpm2: URI of a key that signs; several times for several", joinValues],
  ["--passphrase-file <file>", "the passphrase of an age file, one line; once for all, or once for each", joinValues],
];
