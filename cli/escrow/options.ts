import type { CommandOption } from "../command.ts";

/** Options of every command that shares are brought to. */
export const SHARE_OPTIONS: readonly CommandOption[] = [
  ["--escrow <file>", "the escrow file that the shares were dealt with; needed"],
  ["-i, --identity <file>", "age identity file that opens shares in age files; several times for several", listed],
  ["--transcript <file>", "the generation's transcript (default: transcript.jws beside the escrow file)"],
  ["--dry-run", "say what is wrong with which share, restore nothing and write nothing"],
];

/** Options of every command that deals shares. */
export const DEAL_OPTIONS: readonly CommandOption[] = [
  ["-o, --output <folder>", "folder for what is made, such as on a medium; must be empty or not there yet"],
  ["--threshold <m>", "shares that restore, where the deployment has no custody.escrow"],
  [
    "--holder <holder>",
    "NAME=age1… or NAME:OPERATOR=age1… (default: customer), once for each holder, where the deployment has no custody.escrow",
    listed,
  ],
  ["--print", "print the shares of holders without an age recipient as text"],
  ["--print-all", "print every share as text"],
];

/** Whose package it will be. */
export const IMPORT_KEY_OPTION: CommandOption = [
  "--import-key <hex>",
  "the import key of the custody that gets the generation, as trustkern keys list shows it there",
];

/** The values of an option that is given several times, as names separated by commas. */
function listed(value: string, before: string | undefined): string {
  return before === undefined ? value : `${before},${value}`;
}
